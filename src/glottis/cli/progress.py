"""A bar on stderr with the time left, where stderr is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from glottis.cli.output import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """A bar that is erased at the end; without a terminal it does nothing, and rich is not even imported.

    Args:
        what: What is counted.
        total: How many there are, or None when it becomes known with `show`.
        shown: Whether this is the process that shows it.
    """

    def __init__(self, what: str, total: int | None = None, *, shown: bool = True) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        if not shown or not is_terminal(sys.stderr):
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(what, total=total)

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def advance(self) -> None:
        """One more is done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)

    def show(self, done: int, total: int, what: str | None = None) -> None:
        """So many of so many are done."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total, description=what)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Erase the bar while something else is written to the same terminal."""
        if self._progress is None:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()
