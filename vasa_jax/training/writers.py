"""What a run leaves for people: metrics.jsonl, samples/*.png, TensorBoard if there.

Only process 0 writes. A figure that is not a number is written as null: the file stays
JSON that any reader takes.
"""

import json
import math
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from etils import epath

from vasa_jax.files import refused, write_whole


def encode_png(picture: np.ndarray) -> bytes:
  """PNG of an `(h, w, 3)` or `(h, w)` uint8 picture.

  Written out here (RFC 2083: three chunks around a zlib stream) so that training needs
  no imaging library.
  """
  picture = np.ascontiguousarray(picture)
  if picture.dtype != np.uint8 or picture.ndim not in (2, 3):
    raise ValueError(f'expected uint8 (h, w[, 3]), got {picture.dtype} {picture.shape}')
  if picture.ndim == 3 and picture.shape[2] != 3:
    raise ValueError(f'expected 3 channels, got {picture.shape[2]}')
  height, width = picture.shape[:2]
  rows = picture.reshape(height, -1)
  filtered = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)

  def chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack('>I', len(data)) + body + struct.pack('>I', zlib.crc32(body))

  colour = 2 if picture.ndim == 3 else 0
  header = struct.pack('>IIBBBBB', width, height, 8, colour, 0, 0, 0)
  return (
    b'\x89PNG\r\n\x1a\n'
    + chunk(b'IHDR', header)
    + chunk(b'IDAT', zlib.compress(filtered.tobytes(), 6))
    + chunk(b'IEND', b'')
  )


class Writer:
  """Writes the figures and pictures of one run; `active=False` writes nothing."""

  def __init__(self, workdir: str | Path, start_step: int, active: bool = True):
    """Goes on with the files of a run that was interrupted.

    Args:
      workdir: the run's folder, local or remote.
      start_step: updates done so far; lines of later steps were made by a start that
        was lost with its state, and are dropped.
      active: whether this process writes.
    """
    self._active = active
    self._board = None
    if not active:
      return
    self._workdir = epath.Path(workdir)
    self._file = self._workdir / 'metrics.jsonl'
    self._lines: list[str] = []
    if self._file.exists():
      for line in self._file.read_text().splitlines():
        try:
          if json.loads(line)['step'] <= start_step:
            self._lines.append(line)
        except (ValueError, KeyError):
          continue  # the half line of a machine that lost power
    self._write(rewrite=True)
    try:
      from tensorboardX import SummaryWriter
    except ImportError:
      return
    self._board = SummaryWriter(str(self._workdir / 'tensorboard'))

  def _write(self, rewrite: bool) -> None:
    try:
      # Object stores cannot append: there the whole small file is written again.
      if rewrite or '://' in str(self._file):
        write_whole(self._file, ''.join(f'{line}\n' for line in self._lines))
      else:
        with open(self._file, 'a') as out:
          out.write(self._lines[-1] + '\n')
    except OSError as error:
      raise refused(self._file, error) from error

  def figures(self, step: int, values: dict[str, float]) -> None:
    """Adds one line: `{"step": step, name: value, ...}`."""
    if not self._active:
      return
    clean = {k: float(v) if math.isfinite(v) else None for k, v in values.items()}
    self._lines.append(json.dumps({'step': step, **clean}))
    self._write(rewrite=False)
    if self._board is not None:
      for name, value in clean.items():
        if value is not None:
          self._board.add_scalar(name, value, step)
      self._board.flush()

  def pictures(self, step: int, pictures: dict[str, np.ndarray]) -> None:
    """Writes `samples/STEP_NAME.png` for each picture."""
    if not self._active or not pictures:
      return
    for name, picture in pictures.items():
      file = self._workdir / 'samples' / f'{step:08d}_{name}.png'
      try:
        write_whole(file, encode_png(picture))
      except OSError as error:
        raise refused(file, error) from error

  def close(self) -> None:
    """Closes the TensorBoard file, if any."""
    if self._board is not None:
      self._board.close()
      self._board = None


class Progress:
  """Rate and time left: a tqdm bar on a terminal, else one plain line at each log."""

  def __init__(self, total: int, start: int, active: bool = True):
    """Starts at step `start` of `total`."""
    self._active = active
    self._bar: Any = None
    self._total = total
    if not active or not sys.stderr.isatty():
      return
    try:
      from tqdm import tqdm
    except ImportError:
      return
    self._bar = tqdm(total=total, initial=start, unit='step', dynamic_ncols=True)

  def advance(self) -> None:
    """One more step was started."""
    if self._bar is not None:
      self._bar.update()

  def tell(self, step: int, figures: dict[str, float], seconds_left: float) -> None:
    """Shows the figures of a log point."""
    if not self._active:
      return
    shown = {k: f'{v:.4g}' for k, v in figures.items()}
    if self._bar is not None:
      self._bar.set_postfix(shown)
      return
    words = ' '.join(f'{k}={v}' for k, v in shown.items())
    minutes = seconds_left / 60
    self.say(f'step {step}/{self._total} {words} left={minutes:.1f}min')

  def say(self, line: str) -> None:
    """One line that does not break the bar."""
    if not self._active:
      return
    if self._bar is not None:
      self._bar.write(line, file=sys.stderr)
    else:
      print(line, file=sys.stderr, flush=True)

  def close(self) -> None:
    """Leaves the bar as it stands."""
    if self._bar is not None:
      self._bar.close()
