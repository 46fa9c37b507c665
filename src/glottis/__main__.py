"""python -m glottis"""

from glottis.cli import main

if __name__ == "__main__":
    main()
