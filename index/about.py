"""What this is called where packages are installed from, and its version."""

#: Its name on PyPI: `footnote` there is another's. The command is `footnote` all the same.
DISTRIBUTION = "footnote-assistant"

#: Read from here when a wheel is built, so that the code that runs and not what lies beside it
#: tells its version.
VERSION = "0.2.0"
