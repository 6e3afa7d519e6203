"""python -m trilho.cli: the command line where the script is not on PATH."""

from trilho.cli.main import process

process()
