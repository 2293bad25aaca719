"""``python -m cnnviz`` is the command ``cnnviz``."""

import signal


def main() -> None:
    """Entry point of the ``cnnviz`` command."""
    # Until the command listens to Ctrl-C, that ends it without Python's traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cnnviz.cli.main import main as command

    command()


if __name__ == "__main__":
    main()
