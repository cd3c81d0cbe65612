"""What turns a recording into features, by the name that `--features` gives.

    log-mel           80 bands of energy in four hops a frame; numpy, in any worker
    ear               what the embedded weights hear with; ear:PATH, that of others
    wav2vec2:PATH     hidden states of a published net; PATH is its folder or file
    hubert:PATH, whisper:PATH         likewise

What they are says `vasa_jax/audio/hearing.py`. Nets run on the device, so they hear in
the main process what workers recorded.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from data_pipelines.errors import UsageError, UserError

LOG_MEL = 'log-mel'


class FrontEnd(NamedTuple):
  """A way to hear, and how its features are stored.

  Attributes:
    name: as given, without the place of a file: what a cache says of itself.
    hear: `(samples,)` 16 kHz mono, int16 or float in [-1, 1] -> `(t, a)` as stored, one
      row for each 640 samples begun.
    scale, offset: a net hears `stored * scale + offset`.
    in_workers: numpy alone, so that any process may call it.
  """

  name: str
  hear: Callable[[np.ndarray], np.ndarray]
  scale: float
  offset: float
  in_workers: bool


def hear_log_mel(audio: np.ndarray) -> np.ndarray:
  """Log-mel bytes `(t, 320)` uint8 at the level that speech is brought to."""
  from vasa_jax.audio import features

  audio = features.as_float(audio)
  return features.to_bytes(features.log_mel(audio, features.loudness(audio).gain))


def front_end(name: str = LOG_MEL) -> FrontEnd:
  """The front end of a name.

  Raises:
    UsageError: there is none of this name, or its file is not named.
    UserError: its file cannot be read.
  """
  from vasa_jax.audio import features

  if name == LOG_MEL:
    return FrontEnd(name, hear_log_mel, *features.BYTE_SCALE, in_workers=True)
  from vasa_jax.audio import hearing
  from vasa_jax.errors import UsageError as ModelUsageError
  from vasa_jax.errors import UserError as ModelUserError

  try:
    ear = hearing.hear(name)
  except ModelUsageError as error:
    raise UsageError(f'--features: {error}') from error
  except ModelUserError as error:
    raise UserError(f'--features: {error}') from error
  kind = name.partition(':')[0]
  return FrontEnd(kind, lambda audio: half(ear(audio)), 1.0, 0.0, in_workers=False)


def half(heard: np.ndarray) -> np.ndarray:
  """float16 for storage; what does not fit is held at its largest value."""
  most = np.finfo(np.float16).max
  return np.clip(np.asarray(heard, np.float32), -most, most).astype(np.float16)
