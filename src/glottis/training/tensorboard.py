"""The figures of a run for TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glottis._extras import need


@contextmanager
def with_scalars(
    progress: Callable[[dict[str, Any]], None], folder: Path
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A progress that writes the loss of each step and the dev figures of each check into `folder` too, as scalars.

    Raises:
        MissingExtra: The package ``tensorboard`` is not installed.
    """
    need("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:

        def tell(line: dict[str, Any]) -> None:
            figures = {name: value for name, value in line.items() if name not in {"step", "of", "seconds"}}
            for name, value in figures.items():
                writer.add_scalar(name, value, line["step"])
            if len(figures) > 1:
                writer.flush()
            progress(line)

        yield tell
