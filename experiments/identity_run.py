"""A small net that tells people apart, trained on rendered ones: a judge of l_cross_id.

    python -m experiments.train --config experiments/configs/identity_judge.py \
        --workdir runs/identity --set records=corpus
    python -m experiments.identity_run runs/identity --out identity.npz
    python -m experiments.train ... --set judges.arcface=identity.npz losses.identity=2

Published ArcFace weights are not ours to pass on. Who has none gets l_cross_id from
this: a very small ArcFace net (`vasa_jax/teachers/arcface.py`) with ArcFace's additive
angular margin over the people of a rendered corpus. It knows rendered faces only. The
file has the published files' names, so that `judges.arcface` takes either.
"""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.command import run_command
from vasa_jax.errors import UserError
from vasa_jax.face.augment import Colours, change_colours
from vasa_jax.face.crop import ARCFACE_MARKS, aligned_crop
from vasa_jax.face.judges import ID_SIDE
from vasa_jax.face.prior import HeadTemplate, shape_vertices
from vasa_jax.face.step import feature_centres
from vasa_jax.face.template import load_template
from vasa_jax.nn.blocks import average_pool
from vasa_jax.teachers.arcface import ArcFace, ArcFaceConfig
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job
from vasa_jax.types import Array, Motion

COLOUR, HUE = 0.3, 0.03  # light must not be the person
BLURS = (1, 2, 4)  # a made face is soft: softness must not be the person either


@dataclasses.dataclass(frozen=True, kw_only=True)
class IdentityRun(RunConfig):
  """Settings of the judge's training.

  Attributes:
    records: folder that `data_pipelines.synthetic.synthesize` wrote; stills are best.
    stages, widths, embedding: of the net (`ArcFaceConfig`).
    scale, margin: ArcFace's s and m (radians).
    held_out: people at the corpus's end that are kept for the evaluation.
  """

  records: str = 'corpus'
  stages: tuple[int, int, int, int] = (1, 1, 1, 1)
  widths: tuple[int, int, int, int] = (8, 16, 32, 64)
  embedding: int = 64
  scale: float = 16.0
  margin: float = 0.2
  held_out: int = 24

  @property
  def net(self) -> ArcFaceConfig:
    return ArcFaceConfig(self.stages, self.widths, self.embedding)

  def job(self) -> Job:
    """The functions of the training engine."""
    people = read_people(self.records)
    if len(people.shape) <= 2 * self.held_out:
      raise UserError(
        f'{self.records} has {len(people.shape)} people, too few to hold out '
        f'{self.held_out}'
      )
    known = len(people.shape) - self.held_out
    model = ArcFace(self.net)

    def init(key):
      net, classes = jax.random.split(key)
      picture = jnp.zeros((1, ID_SIDE, ID_SIDE, 3))
      directions = jax.random.normal(classes, (known, self.embedding))
      return {'net': model.init(net, picture)['params'], 'classes': directions}

    def loss(params, batch, key):
      faces = disturbed(crops_of(batch), key)
      found = model.apply({'params': params['net']}, faces)
      directions = params['classes']
      directions /= jnp.linalg.norm(directions, axis=-1, keepdims=True).clip(1e-6)
      return arc_margin(found @ directions.T, batch['label'], self.scale, self.margin)

    def evaluate(params):
      held_out = dataclasses.replace(
        people, **{f: getattr(people, f)[known:] for f in FIELDS}
      )
      return verification(lambda x: model.apply({'params': params['net']}, x), held_out)

    def batches(state, host, hosts):
      made = Draws(people, known, self.batch_size // hosts, self.seed + host)
      if state is not None:
        made.set_state(state)
      return made

    return Job(init=init, loss=loss, batches=batches, evaluate=evaluate)


@dataclasses.dataclass(frozen=True)
class People:
  """A corpus in memory; n people, t pictures each.

  picture `(n, t, s, s, 3)` uint8, pose `(n, t, 6)`, dyn `(n, t, 54)`, shape `(n, 64)`.
  """

  picture: np.ndarray
  pose: np.ndarray
  dyn: np.ndarray
  shape: np.ndarray


FIELDS = tuple(field.name for field in dataclasses.fields(People))


def read_people(records: str) -> People:
  """All clips of a rendered corpus, as many frames of each as the shortest has.

  Raises:
    UserError: there is none, or it is not rendered.
  """
  from data_pipelines import builder, schema

  examples = builder.open_clips(records, 'train')
  clips = [schema.from_example(examples[i]) for i in range(len(examples))]
  if any(clip.truth is None for clip in clips):
    raise UserError(f'{records} is not rendered: it has no exact labels')
  frames = min(len(clip) for clip in clips)
  return People(
    picture=np.stack(
      [[schema.decode_picture(clip.frames[t]) for t in range(frames)] for clip in clips]
    ),
    pose=np.stack([clip.z_pose[:frames] for clip in clips]).astype(np.float32),
    dyn=np.stack([clip.z_dyn[:frames] for clip in clips]).astype(np.float32),
    shape=np.stack([clip.truth.shape for clip in clips]).astype(np.float32),
  )


class Draws:
  """Random pictures of known people; the state is a count."""

  def __init__(self, people: People, known: int, size: int, seed: int):
    self.people, self.known, self.size, self.seed = people, known, size, seed
    self.count = 0

  def __iter__(self):
    return self

  def __next__(self) -> dict[str, np.ndarray]:
    rng = np.random.default_rng((self.seed, self.count))
    self.count += 1
    who = rng.integers(self.known, size=self.size)
    when = rng.integers(self.people.picture.shape[1], size=self.size)
    p = self.people
    return {
      'picture': p.picture[who, when], 'pose': p.pose[who, when],
      'dyn': p.dyn[who, when], 'shape': p.shape[who], 'label': who.astype(np.int32),
    }  # fmt: skip

  def get_state(self) -> int:
    return self.count

  def set_state(self, state: int) -> None:
    self.count = int(state)


def crops_of(batch: dict[str, Array]) -> Array:
  """Aligned faces `(b, 112, 112, 3)` of a batch, by its exact labels."""
  template = HeadTemplate.of(load_template())
  vertices = shape_vertices(template, batch['shape'])
  centres = feature_centres(template, vertices, Motion(batch['pose'], batch['dyn']))
  picture = batch['picture'].astype(jnp.float32) / 255
  return aligned_crop(picture, centres, ARCFACE_MARKS, ID_SIDE)


def disturbed(faces: Array, key: Array) -> Array:
  """Faces in other light and of other sharpness: neither is the person."""
  b = faces.shape[0]
  keys = jax.random.split(key, 5)

  def about(centre, width, key):
    return centre + jax.random.uniform(key, (b,), minval=-width, maxval=width)

  change = Colours(
    *(about(1.0, COLOUR, key) for key in keys[:3]), about(0.0, HUE, keys[3])
  )
  faces = change_colours(faces, change)
  soft = [
    faces if blur == 1
    else jax.image.resize(average_pool(faces, (blur, blur)), faces.shape, 'linear')
    for blur in BLURS
  ]  # fmt: skip
  which = jax.random.randint(keys[4], (b,), 0, len(BLURS))
  return jnp.stack(soft)[which, jnp.arange(b)]


def arc_margin(cosines: Array, label: Array, scale: float, margin: float):
  """ArcFace's loss (Deng et al. 2019, equation 3), and the share that is named right.

  Args:
    cosines: `(b, n)` of embeddings and the people's directions.
    label: `(b,)` who it is.
  """
  right = jax.nn.one_hot(label, cosines.shape[1])
  own = jnp.sum(cosines * right, -1).clip(-1 + 1e-5, 1 - 1e-5)
  # cos(angle + margin); beyond pi it would grow again, so it goes on falling there.
  moved = own * jnp.cos(margin) - jnp.sqrt(1 - own**2) * jnp.sin(margin)
  moved = jnp.where(own > jnp.cos(jnp.pi - margin), moved, own - margin * margin)
  logits = scale * (cosines * (1 - right) + moved[:, None] * right)
  value = -jnp.mean(jnp.sum(jax.nn.log_softmax(logits) * right, -1))
  return value, {'named': jnp.mean(jnp.argmax(cosines, -1) == label)}


def verification(embed, people: People, each: int = 4) -> dict[str, float]:
  """Same person or not, of pictures of people that the net has not seen.

  Returns:
    equal_error: error rate where both kinds of mistake are as frequent;
    same, other: mean cosines.
  """

  @jax.jit
  def of(batch):
    return embed(crops_of(batch))

  found = []
  for who in range(len(people.shape)):
    batch = {f: getattr(people, f)[who][:each] for f in FIELDS if f != 'shape'}
    batch['shape'] = np.repeat(people.shape[who][None], len(batch['pose']), 0)
    found.append(np.asarray(of(batch)))
  found = np.concatenate(found)
  label = np.repeat(np.arange(len(people.shape)), len(found) // len(people.shape))
  upper = np.triu_indices(len(found), 1)
  cosine, same = (found @ found.T)[upper], (label[:, None] == label)[upper]
  limits = np.unique(cosine)
  missed = np.searchsorted(np.sort(cosine[same]), limits) / same.sum()
  taken = 1 - np.searchsorted(np.sort(cosine[~same]), limits) / (~same).sum()
  return {
    'equal_error': float(np.min(np.maximum(missed, taken))),
    'same': float(cosine[same].mean()),
    'other': float(cosine[~same].mean()),
  }


def to_torch(params: dict[str, Any]) -> dict[str, np.ndarray]:
  """Parameters of `ArcFace` under the published files' names (`arcface.from_torch`).

  Norms become stored statistics of mean 0 and variance 1.
  """
  state: dict[str, np.ndarray] = {}

  def norm(at, part):
    gain = np.asarray(part['gain'])
    state[f'{at}.weight'], state[f'{at}.bias'] = gain, np.asarray(part['bias'])
    state[f'{at}.running_mean'] = np.zeros_like(gain)
    state[f'{at}.running_var'] = np.full_like(gain, 1 - 1e-5)  # + epsilon is 1

  def other(at, part):
    if 'kernel' in part:
      state[f'{at}.weight'] = np.asarray(part['kernel']).transpose(3, 2, 0, 1)
    elif 'slope' in part:
      state[f'{at}.weight'] = np.asarray(part['slope'])
    else:
      norm(at, part)

  for name, part in params.items():
    if name == 'fc':
      continue
    if not name.startswith('layer'):
      other(name, part)
      continue
    at = name.replace('_', '.')
    renamed = {'downsample': 'downsample.0', 'downsample_bn': 'downsample.1'}
    for inner, values in part.items():
      other(f'{at}.{renamed.get(inner, inner)}', values)
  channels = np.asarray(params['bn2']['gain']).size
  kernel = np.asarray(params['fc']['kernel'])
  side = round((kernel.shape[0] / channels) ** 0.5)
  kernel = kernel.reshape(side, side, channels, -1).transpose(3, 2, 0, 1)
  state['fc.weight'] = kernel.reshape(kernel.shape[0], -1)
  state['fc.bias'] = np.asarray(params['fc']['bias'])
  return state


def main(argv: Sequence[str] | None = None) -> int:
  """Writes a trained judge's file; the exit code."""
  parser = argparse.ArgumentParser(
    prog='python -m experiments.identity_run', description=__doc__.splitlines()[0]
  )
  parser.add_argument('workdir', help='run of configs/identity_judge.py')
  parser.add_argument('--out', type=Path, required=True, help='the file, .npz')
  parser.add_argument('--debug', action='store_true', help='show tracebacks')
  args = parser.parse_args(argv)

  def work() -> int:
    from vasa_jax.teachers.loader import save_npz
    from vasa_jax.training.checkpoint import restore_params

    save_npz(args.out, to_torch(restore_params(args.workdir)['net']))
    print(args.out)
    return 0

  return run_command(work, args.debug)


if __name__ == '__main__':
  sys.exit(main())
