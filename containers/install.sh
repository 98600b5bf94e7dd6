#!/bin/sh
# Installs what is here into a new virtual environment, for an image: without CUDA, and without what
# only building and testing need. Called by the Dockerfile, from the folder of pyproject.toml:
#
#     EXTRAS=llm TORCH_INDEX=https://download.pytorch.org/whl/cpu sh containers/install.sh FOLDER
set -eu

to=$1
wheels=$(mktemp -d)
export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

python3 -m venv --without-pip "$to"
install() {
    # What is never run is not compiled, a fifth of all.
    python3 -m pip --python "$to/bin/python" install --quiet --no-compile "$@"
}

# First, from where there is one without CUDA: what is there already is then kept.
install --index-url "$TORCH_INDEX" "$(python3 -c '
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
print(*[own for own in project["dependencies"] if own.startswith("torch")])')"
python3 -m pip wheel --quiet --no-deps --wheel-dir "$wheels" .
for wheel in "$wheels"/*.whl; do
    install "$wheel${EXTRAS:+[$EXTRAS]}"
done
rm -r "$wheels"

packages=$("$to/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$packages/torch/include" "$packages"/torch/bin/protoc*
rm -rf "$packages/kubernetes"  # with which Chroma's own servers find each other
find "$packages" -type d -name tests -prune -exec rm -rf {} +

# Shows that it answers, and compiles what that and the page load: the image is not written later.
seen=$(mktemp -d)
export HOME="$seen" XDG_DATA_HOME="$seen" XDG_CONFIG_HOME="$seen"
"$to/bin/footnote" ask "When was the US Indo-Pacific strategy released?"
"$to/bin/python" -c 'import assistant.web.app, assistant.api.runner'
rm -r "$seen"
