"""What `python -m glottis` runs."""

from glottis.cli import main

if __name__ == "__main__":
    main()
