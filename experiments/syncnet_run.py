"""Training of our own small SyncNet on talking clips of a rendered corpus.

    python -m experiments.train --config experiments/configs/syncnet.py \
        --workdir runs/sync --set records=corpus

InfoNCE within each clip: of the windows of sound of a stretch, which belongs to these
lips, and the other way round. All wrong answers are of the same voice and the same
face, so that nothing but timing helps.
"""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.audio.features import (
  as_float,
  from_bytes,
  log_mel,
  loudness,
  to_bytes,
)
from vasa_jax.errors import UserError
from vasa_jax.metrics.face_crop import face_boxes
from vasa_jax.metrics.mouth_crop import SHARE, crop_mouth, mouth_squares
from vasa_jax.metrics.sync import score_sync
from vasa_jax.teachers.lipsync import (
  SIDE,
  WINDOW,
  LipSync,
  LipSyncConfig,
  abstract_inputs,
)
from vasa_jax.teachers.loader import load_arrays, save_npz
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job

MARGIN = 4  # pixels of the crop by which a mouth may be off its centre, either way


class Talk(NamedTuple):
  """A clip of `t` frames: mouths `(t, 56, 56)` uint8 with a margin, log-mel `(t, 320)`,
  and whose voice it is."""

  name: str
  mouths: np.ndarray
  features: np.ndarray
  voice: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class SyncRun(RunConfig):
  """Settings of the net's training.

  Attributes:
    model: the net.
    records: talking clips that `data_pipelines.synthetic.synthesize` wrote.
    windows: windows of a training stretch; offsets up to that many are told apart.
    held_out: clips at the corpus's end that are kept for the evaluation.
    augment: change voice, light, place, side and sharpness.
  """

  model: LipSyncConfig = LipSyncConfig()
  records: str = 'corpus'
  windows: int = 32
  held_out: int = 32
  augment: bool = True

  def job(self) -> Job:
    """The functions of the training engine."""
    talks = read_talks(self.records, 'train')
    known = len(talks) - self.held_out
    if known < 2:
      raise UserError(
        f'{self.records} has {len(talks)} talking clips, too few to hold out '
        f'{self.held_out}'
      )
    model = LipSync(self.model)

    def loss(params, batch, key):
      del key
      logits = model.apply(
        {'params': params}, batch['mouths'], batch['features'], method='similarities'
      )
      return info_nce(logits), {'named': named(logits)}

    def evaluate(params):
      return offsets_found(params, self.model, talks[known:])

    def batches(state, host, hosts):
      made = Stretches(
        talks[:known], self.batch_size // hosts, self.windows, self.seed + host,
        self.augment,
      )  # fmt: skip
      if state is not None:
        made.set_state(state)
      return made

    return Job(
      init=lambda key: model.init(key, *abstract_inputs())['params'],
      loss=loss, batches=batches, evaluate=evaluate,
    )  # fmt: skip


def info_nce(logits: jax.Array) -> jax.Array:
  """Mean of both directions of `(..., n, n)` logits whose diagonal is right."""
  rows, columns = (jax.nn.log_softmax(logits, axis) for axis in (-1, -2))
  diagonal = jnp.eye(logits.shape[-1])
  value = jnp.sum((rows + columns) * diagonal, (-2, -1)) / (2 * logits.shape[-1])
  return -jnp.mean(value)


def named(logits: jax.Array) -> jax.Array:
  """Share of rows of `(..., n, n)` whose largest logit is the right one."""
  return jnp.mean(jnp.argmax(logits, -1) == jnp.arange(logits.shape[-1]))


def read_talks(records: str, split: str) -> list[Talk]:
  """The clips of a split in which somebody speaks.

  Cutting out the mouths takes longer than a short training: they are kept beside the
  corpus, in `mouths-SPLIT.npz`, and read from there the next time.

  Raises:
    UserError: there is no corpus, none of its clips talks, or its folder is read-only.
  """
  kept = Path(records) / f'mouths-{split}.npz'
  key = f'{SIDE} {MARGIN} {SHARE}'
  if kept.is_file():
    found = load_arrays(kept)
    if str(found['key']) == key:
      return _unpacked(found)
  from data_pipelines import builder, schema

  examples = builder.open_clips(records, split)
  clips = (schema.from_example(examples[i]) for i in range(len(examples)))
  talks = [
    talk_of(clip)
    for clip in clips
    if clip.landmarks.shape[1] == 468 and np.any(clip.audio)
  ]
  if not talks:
    raise UserError(f'{records} holds no clip in which a rendered face speaks')
  packed = {
    'key': np.array(key), 'names': np.array([talk.name for talk in talks]),
    'voices': np.array([talk.voice for talk in talks]),
    'ends': np.cumsum([len(talk.mouths) for talk in talks]),
    'mouths': np.concatenate([talk.mouths for talk in talks]),
    'features': to_bytes(np.concatenate([talk.features for talk in talks])),
  }  # fmt: skip
  save_npz(kept, packed)
  return _unpacked(packed)


def _unpacked(kept: dict[str, np.ndarray]) -> list[Talk]:
  cuts = kept['ends'][:-1]
  parts = zip(
    kept['names'], np.split(kept['mouths'], cuts), np.split(kept['features'], cuts),
    kept['voices'], strict=True,
  )  # fmt: skip
  return [
    Talk(str(name), mouths, from_bytes(heard), str(voice))
    for name, mouths, heard, voice in parts
  ]


def talk_of(clip: Any) -> Talk:
  """A record's mouths, by its exact landmarks, and its sound."""
  from data_pipelines import schema

  pictures = [schema.decode_picture(frame) for frame in clip.frames]
  mesh = clip.landmarks * pictures[0].shape[0]
  squares = mouth_squares(face_boxes(np.ones(len(pictures), bool), mesh))
  wide = SIDE + 2 * MARGIN
  squares[:, 2] *= wide / SIDE
  samples = as_float(clip.audio)
  return Talk(
    clip.clip_id,
    np.stack([crop_mouth(p, s, wide) for p, s in zip(pictures, squares, strict=True)]),
    log_mel(samples, loudness(samples).gain)[: len(pictures)],
    clip.truth.voice if clip.truth else '',
  )


class Stretches:
  """Random stretches of known clips; the state is a count."""

  def __init__(
    self, talks: list[Talk], size: int, windows: int, seed: int, augment: bool
  ):
    self.frames = windows + WINDOW - 1
    self.talks = [talk for talk in talks if len(talk.mouths) >= self.frames]
    if not self.talks:
      raise UserError(f'no clip has {self.frames} frames; lower windows')
    self.size, self.seed, self.augment, self.count = size, seed, augment, 0

  def __iter__(self):
    return self

  def __next__(self) -> dict[str, np.ndarray]:
    rng = np.random.default_rng((self.seed, self.count))
    self.count += 1
    mouths, features = [], []
    for i in rng.choice(len(self.talks), self.size, len(self.talks) < self.size):
      talk = self.talks[i]
      start = rng.integers(len(talk.mouths) - self.frames + 1)
      part = slice(start, start + self.frames)
      mouths.append(
        changed(talk.mouths[part], rng) if self.augment else middle(talk.mouths[part])
      )
      features.append(talk.features[part])
    features = np.stack(features)
    if self.augment:
      from data_pipelines.motion_windows import augment_log_mel

      features = augment_log_mel(features, rng)
    return {'mouths': np.stack(mouths), 'features': features}

  def get_state(self) -> int:
    return self.count

  def set_state(self, state: int) -> None:
    self.count = int(state)


def middle(mouths: np.ndarray) -> np.ndarray:
  """`(t, 56, 56)` without its margin, `(t, 48, 48)`."""
  return mouths[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def changed(mouths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
  """The same mouths `(t, 48, 48)` float32 elsewhere in the crop, in other light, softer
  or noisier, perhaps mirrored: what makers and cameras of videos differ in."""
  import cv2

  top, left = rng.integers(0, 2 * MARGIN + 1, 2)
  x = mouths[:, top : top + SIDE, left : left + SIDE].astype(np.float32)
  if rng.random() < 0.5:
    x = x[:, :, ::-1]
  if rng.random() < 0.4:
    soft = rng.uniform(0.4, 1.5)
    x = np.stack([cv2.GaussianBlur(frame, (0, 0), soft) for frame in x])
  x = 255 * np.clip(x / 255, 0, 1) ** np.exp(rng.normal(0, 0.25))
  x = x + rng.uniform(0, 4) * rng.standard_normal(x.shape, np.float32)
  return x.astype(np.float32)


def offsets_found(
  params: Any, config: LipSyncConfig, talks: list[Talk], most: int = 12
) -> dict[str, float]:
  """Share of clips whose planted offset is found; see `experiments.judge_sync`.

  Each clip is cut so that its picture is late by a number of frames that is drawn
  uniformly from `-most .. most`.
  """
  model = LipSync(config)
  lip = jax.jit(lambda p, x: model.apply({'params': p}, x, method='lip')[0])
  hear = jax.jit(lambda p, x: model.apply({'params': p}, x, method='sound')[0])
  rng = np.random.default_rng(0)
  near, confidence, distance = [], [], []
  for talk in talks:
    lips = np.asarray(lip(params, middle(talk.mouths)[None]))
    sound = np.asarray(hear(params, talk.features[None]))
    planted = int(rng.integers(-most, most + 1))
    found = score_sync(*late_by(lips, sound, planted))
    near.append(abs(found.offset - planted) <= 1)
    plain = score_sync(lips, sound)
    confidence.append(plain.confidence)
    distance.append(plain.distance)
  return {
    'offset_found': float(np.mean(near)),
    'confidence': float(np.mean(confidence)),
    'distance': float(np.mean(distance)),
  }


def late_by(
  picture: np.ndarray, sound: np.ndarray, frames: int
) -> tuple[np.ndarray, np.ndarray]:
  """The stretch of both in which the picture comes `frames` later than the sound."""
  if frames > 0:
    return picture[:-frames], sound[frames:]
  return (picture[-frames:], sound[:frames]) if frames else (picture, sound)
