"""`python -m webhook.cli`: how `leaver up` starts its parts."""

from webhook.cli import main

main(prog_name="leaver")
