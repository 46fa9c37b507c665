"""The residual blocks on a bank of band-pass filters, in the forms of RawGAT-ST and AASIST."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class RawResidual(nn.Module):
    """Maps ``(batch, c_in, f, t)`` to ``(batch, c_out, f, t / 3)``, or t where it does not pool.

    The published code computes SELU(BN1(input)) and then convolves the input itself: `bn1` is in the state dicts and
    does nothing. So it is here, for their weights and their figures. The same holds for RawGAT-ST's `conv_1`.

    Args:
        c_in: Channels.
        c_out: Channels afterwards.
        first: Whether it is the first of its encoder, which has no `bn1`.
        pool: Whether time is divided by three at the end.
        spare: RawGAT-ST's form: every block owns a `conv_1` of one channel, which the first one uses in the place of
            `conv1`, and the first one's shortcut is its input, for all channels.
    """

    def __init__(self, c_in: int, c_out: int, *, first: bool, pool: bool = True, spare: bool = False) -> None:
        super().__init__()
        self.pool, self.entry = pool, "conv_1" if spare and first else "conv1"
        if not first:
            self.bn1 = nn.BatchNorm2d(c_in)
        if self.entry == "conv1":
            self.conv1 = nn.Conv2d(c_in, c_out, (2, 3), padding=(1, 1))
        if spare:
            self.conv_1 = nn.Conv2d(1, c_out, (2, 3), padding=(1, 1))
        self.bn2 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, (2, 3), padding=(0, 1))
        self.conv_downsample = (
            nn.Conv2d(c_in, c_out, (1, 3), padding=(0, 1)) if c_in != c_out and self.entry == "conv1" else None
        )

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        out = self.conv2(functional.selu(self.bn2(self.get_submodule(self.entry)(maps))))
        out = out + (maps if self.conv_downsample is None else self.conv_downsample(maps))
        return functional.max_pool2d(out, (1, 3)) if self.pool else out
