"""Pretrained nets as ears: pieces of a recording in, features at 25 Hz out.

A front hears pieces: `t` frames and what lies around them. Piece `[a, b)` of a
recording is its samples from `640 a - lead`, `640 (b - a) + rest` of them, with silence
outside of the recording. `lead` is such that frame i is centred on its instant, 40 i ms
(as in `features.py`): the two 50 Hz frames that make it lie 10 ms to either side.

Pieces come at the level that `features.Loudness` brings speech to. That, and not the
statistics of a whole recording, is what a net is given: what was said later then
changes nothing, and a window of a recording hears what the recording hears.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.audio.encoder import pairs
from vasa_jax.audio.features import SAMPLES_PER_FRAME, TARGET_DB
from vasa_jax.audio.wav2vec2 import Wav2Vec2
from vasa_jax.audio.wav2vec2_file import Wav2Vec2Weights
from vasa_jax.audio.whisper import WhisperEncoder, whisper_mel
from vasa_jax.audio.whisper_file import WhisperWeights
from vasa_jax.errors import UsageError

SPEECH_RMS = 10 ** (TARGET_DB / 20)
# Decades of the loudest mel band of speech at that level.
SPEECH_PEAK = 1.2
# Pieces are padded to one of these, so that few programs are compiled.
_LENGTHS = (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 125, 150, 200, 250, 300, 400,
            500, 600, 750)  # fmt: skip


class Front(Protocol):
  """What a net must offer.

  Attributes:
    dim: size of a feature.
    lead, rest: samples of a piece, see above.
    longest: frames that a piece may have.
  """

  dim: int
  lead: int
  rest: int
  longest: int

  def hear(self, pieces: Sequence[np.ndarray], first: int = 0) -> list[np.ndarray]:
    """Features `(t_i, dim)` float32 of pieces of `640 t_i + rest` samples.

    Args:
      first: the frame of its recording that a piece begins with.
    """


class Wav2Vec2Front:
  """Wav2Vec2 or HuBERT.

  Args:
    weights: from `load_wav2vec2`.
    layers: hidden states that make a feature, side by side: 0 is the transformer's
      input, 1 its first layer, -1 the last.
    interpolate: where 50 Hz become 25 Hz. 'before' the transformer, on the features of
      the convolutions, as FaceFormer, CodeTalker and FLOAT: half the frames, a third of
      the time. 'after' it, as DiffPoseTalk and JoyVASA: the frozen transformer hears
      the rate that it was trained at.
  """

  lead = 360  # centres of frames 2 i and 2 i + 1, 320 j + 200, about 640 i + lead
  rest = 80  # the last window's tail
  longest = 750

  def __init__(
    self,
    weights: Wav2Vec2Weights,
    layers: Sequence[int] = (-1,),
    interpolate: Literal['before', 'after'] = 'before',
  ):
    config = weights.config
    if interpolate not in ('before', 'after'):
      raise UsageError(f'interpolate={interpolate!r} must be before or after')
    check_layers(layers, config.num_hidden_layers)
    if config.frames(SAMPLES_PER_FRAME + self.rest) != 2:
      raise UsageError('a net with other convolutions than at 50 Hz cannot be heard')
    self.dim = config.hidden_size * len(layers)
    self.params = jax.device_put(weights.params)
    self._scale = np.float32(1 / SPEECH_RMS if config.do_normalize else 1)
    model = Wav2Vec2(config)

    @jax.jit
    def run(params, samples, frames):
      given = {'params': params}
      lengths = frames * SAMPLES_PER_FRAME + self.rest
      x = model.apply(given, samples, lengths, method='extract')
      if interpolate == 'before':
        states = model.apply(given, pairs(x), frames, method='encode')
      else:
        states = pairs(model.apply(given, x, 2 * frames, method='encode'))
      return beside(states, layers)

    self._run = run

  def hear(self, pieces: Sequence[np.ndarray], first: int = 0) -> list[np.ndarray]:
    """Features `(t_i, dim)` of pieces of `640 t_i + 80` samples."""
    del first  # its positions are relative
    frames = [(len(piece) - self.rest) // SAMPLES_PER_FRAME for piece in pieces]
    most = padded_length(max(frames)) * SAMPLES_PER_FRAME + self.rest
    batch = np.stack([np.pad(piece, (0, most - len(piece))) for piece in pieces])
    made = np.asarray(
      self._run(self.params, batch * self._scale, np.array(frames, np.int32))
    )
    return [one[:count] for one, count in zip(made, frames, strict=True)]


class WhisperFront:
  """Whisper's encoder.

  Args:
    weights: from `load_whisper`.
    layers: hidden states that make a feature, as of `Wav2Vec2Front`.
    padded: each piece is filled up with silence to the full 30 s, as in its training.
      Slower by what a piece is shorter.
  """

  lead = 160  # centres of frames 2 i and 2 i + 1, 320 j, about 640 i + lead
  rest = 0

  def __init__(
    self,
    weights: WhisperWeights,
    layers: Sequence[int] = (-1,),
    padded: bool = False,
  ):
    config = weights.config
    check_layers(layers, config.encoder_layers)
    self.dim = config.d_model * len(layers)
    self.longest = config.max_source_positions // 2
    self.params = jax.device_put(weights.params)
    self._full = self.longest if padded else None
    model = WhisperEncoder(config)

    @jax.jit
    def run(params, samples, frames, position):
      lengths = None if padded else 4 * frames
      return beside(whisper_states(model, params, samples, lengths, position), layers)

    self._run = run

  def hear(self, pieces: Sequence[np.ndarray], first: int = 0) -> list[np.ndarray]:
    """Features `(t_i, dim)` of pieces of `640 t_i` samples.

    Its positions are absolute and carry far: a piece is heard where it stands in its
    recording, in turns of the 30 s that there are positions for.
    """
    frames = [len(piece) // SAMPLES_PER_FRAME for piece in pieces]
    most = self._full or min(padded_length(max(frames)), self.longest)
    batch = np.stack(
      [np.pad(p, (0, most * SAMPLES_PER_FRAME - len(p))) for p in pieces]
    )
    position = 2 * (first % (self.longest - most + 1))
    made = self._run(self.params, batch, np.array(frames, np.int32), position)
    made = np.asarray(made)
    return [one[:count] for one, count in zip(made, frames, strict=True)]


def whisper_states(
  model: WhisperEncoder,
  params: dict,
  samples: jax.Array,
  lengths: jax.Array | None,
  position: jax.Array | int,
) -> jax.Array:
  """Every state of the encoder at 25 Hz, `(layers + 1, b, t, c)`.

  Args:
    samples: `(b, 640 t)`, as `Front.hear` is given them.
    lengths, position: `lengths` and `first` of `WhisperEncoder`.
  """
  # Silence after the longest piece too: what follows must not depend on a batch.
  samples = jnp.pad(samples, ((0, 0), (0, 320)))
  bands = model.config.num_mel_bins
  mel = whisper_mel(samples, bands, SPEECH_PEAK, xp=jnp)[:, :-2]
  return pairs(model.apply({'params': params}, mel, lengths, position))


def beside(states: jax.Array, layers: Sequence[int]) -> jax.Array:
  """`(layers + 1, b, t, c)` to `(b, t, c * len(layers))`."""
  return jnp.concatenate([states[i] for i in layers], -1)


def check_layers(layers: Sequence[int], count: int) -> None:
  """Raises UsageError where a hidden state is asked for that a net does not have."""
  wrong = [i for i in layers if not -count - 1 <= i <= count]
  if wrong or not layers:
    raise UsageError(
      f'layers={tuple(layers)}: this net has hidden states 0 to {count}, '
      'or -1 for the last'
    )


def padded_length(frames: int) -> int:
  """The length that a piece of so many frames is padded to."""
  return next((n for n in _LENGTHS if n >= frames), frames)
