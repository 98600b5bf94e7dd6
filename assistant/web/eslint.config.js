// Rules for the page's scripts. tsc checks names and types; this checks what types do not say.

import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

// The page makes elements, never markup: its policy (security.py) has the browser refuse these.
const MARKUP = ["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe", "parseHTMLUnsafe", "parseFromString", "createContextualFragment", "srcdoc", "write", "writeln"];

// What a person sees or hears is said in the language of the page: no bare words where it is put
// there, and nowhere what reads like a sentence.
const PLACES = [
  "CallExpression[callee.name='h'] > .arguments:not(:first-child)",
  "CallExpression[callee.name=/^(announce|toast)$/] > .arguments",
  "Property[key.value='aria-label'] > .value",
  "Property[key.name=/^(alt|placeholder|title)$/] > .value",
  "AssignmentExpression[left.property.name='textContent'] > .right",
];
const BARE = PLACES.flatMap((place) => {
  const [literal, template] = ["[value=/[a-z]{2}/i]", "TemplateElement[value.raw=/[a-z]{2}/i]"];
  const either = `${place}:matches(ConditionalExpression, LogicalExpression)`;
  return [place + literal, `${place} > ${template}`, `${either} > Literal${literal}`, `${either} > TemplateLiteral > ${template}`];
});
const SENTENCES = ["Literal[value=/^[A-Z][a-z]* [a-z]/]", "TemplateElement[value.raw=/[A-Z][a-z]+ |[a-z] [a-z]/]"];

const ERRORS = [
  "eqeqeq", "no-console", "no-eval", "no-new-wrappers", "no-script-url", "no-self-compare", "no-template-curly-in-string",
  "no-unreachable-loop", "no-var", "object-shorthand", "prefer-const",
];

export default defineConfig(js.configs.recommended, ts.configs.strictTypeChecked, {
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  linterOptions: { reportUnusedDisableDirectives: "error" },
  rules: {
    ...Object.fromEntries(ERRORS.map((rule) => [rule, "error"])),
    "no-restricted-properties": ["error", ...MARKUP.map((property) => ({ property, message: "Make elements with h() of dom.js." }))],
    "no-restricted-syntax": ["error", ...[...BARE, ...SENTENCES].map((selector) => ({ selector, message: "Write it into words/en.json, and say() it (i18n.js)." }))],
    "no-undef": "off", // tsc knows the browser's names
    "@typescript-eslint/no-confusing-void-expression": "off", // `return this.note(…)` is short
    "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "only-allowed-literals" }],
    "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    "@typescript-eslint/switch-exhaustiveness-check": "error",
  },
});
