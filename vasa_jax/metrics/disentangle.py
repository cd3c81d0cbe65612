"""What changes in the picture, and was it asked for? One factor is swapped at a time.

A portrait is first driven by its own motion (the rest), then with one latent of another
picture in place of its own. Judges that nobody here has trained read both results: head
pose and mouth from the face mesh, the person from dlib's 128-d descriptor. A pose that
changes where only the dynamics were taken over is the *pose leak* that l_consist is
against; a person who changes under somebody else's motion is what l_cross_id is against
(VASA-1 section 3.1).
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from vasa_jax.metrics import image
from vasa_jax.metrics.faces import find_mesh, mesh_pose
from vasa_jax.metrics.mouth import mouth_opening
from vasa_jax.metrics.oracle import FaceAdapter
from vasa_jax.metrics.pose import geodesic_error, wrap
from vasa_jax.types import Motion

Taken = Literal['pose', 'dynamics', 'motion']
JUDGED_SIDE = 256  # pixels: the face detector misses faces in smaller crops


@dataclasses.dataclass(frozen=True)
class Frame:
  """A rendered picture `(s, s, 3)` uint8 with its exact motion."""

  picture: np.ndarray
  motion: Motion


@dataclasses.dataclass(frozen=True)
class Swap:
  """One question to a model: the portrait with a latent of another picture.

  Attributes:
    asked: the question's kind; rows of one kind are averaged.
    donor: the other picture.
    taken: what is taken of it: 'pose', 'dynamics', or 'motion', both.
    name: of the portrait's person; rows of one person are resampled together.
    portrait: whose appearance, and whose motion but for what is taken.
    shape: `(k,)` identity coefficients of the portrait.
    truth: `(s, s, 3)` uint8, the right answer if it has been rendered.
    identity: whether the descriptor is to look (it costs as much as 20 meshes).
  """

  asked: str
  donor: Frame
  taken: Taken
  name: str
  portrait: Frame
  shape: np.ndarray
  truth: np.ndarray | None = None
  identity: bool = False


def driven(own: Motion, other: Motion, taken: Taken) -> Motion:
  """`own` with what is taken of `other`."""
  return Motion(
    z_pose=own.z_pose if taken == 'dynamics' else other.z_pose,
    z_dyn=own.z_dyn if taken == 'pose' else other.z_dyn,
  )


def answers(
  adapter: FaceAdapter, swaps: Sequence[Swap], batch: int = 8
) -> Iterable[tuple[np.ndarray, np.ndarray]]:
  """For each swap the portrait at rest and the answer, `(s, s, 3)` float in [0, 1].

  A model with learned latents reads them from the pictures, others get the labels.
  """
  for start in range(0, len(swaps), batch):
    group = list(swaps[start : start + batch])
    full = group + [group[-1]] * (batch - len(group))  # one compilation
    portrait, own = _stacked([swap.portrait for swap in full])
    donor, other = _stacked([swap.donor for swap in full])
    shape = jnp.asarray(np.stack([swap.shape for swap in full]), jnp.float32)
    code = adapter.encode(portrait, own, shape)
    if adapter.perceive is not None:
      own, other = adapter.perceive(portrait), adapter.perceive(donor)
    motions = [driven(*pair, swap.taken) for swap, *pair in _rows(full, own, other)]
    asked = jax.tree.map(lambda *x: jnp.stack(x), *motions)
    rest, made = adapter.decode(code, own), adapter.decode(code, asked)
    for i in range(len(group)):
      yield np.asarray(rest[i], np.float32), np.asarray(made[i], np.float32)


def score_swaps(
  adapter: FaceAdapter,
  swaps: Sequence[Swap],
  system: str,
  describe: Callable[[np.ndarray], np.ndarray | None] | None = None,
  batch: int = 8,
) -> list[dict[str, Any]]:
  """Asks every question and has the answers judged.

  Args:
    describe: `faces.load_descriptor()`; None leaves identity out.

  Returns:
    One row a swap: clip, system, asked and
      pose_change: degrees between the heads of rest and answer;
      pose_asked: degrees between portrait and donor by their exact labels;
      pose_miss: degrees between the change that was asked and the one that came;
      turn_share: how much of the way from the portrait's pose to the donor's the head
        has gone, 0 to 1: noise of the judge adds nothing to its mean;
      mouth_change: change of the mouth's opening, of eye width; mouth_asked: the same
        between the truth and the portrait (NaN without a truth);
      identity: 128-d distance of answer and portrait, identity_rest: of the rest;
      psnr: dB against the truth; found: 1 where both pictures showed a face.
    What cannot be judged is NaN.
  """
  rows, known = [], {}
  for swap, (rest, made) in zip(swaps, answers(adapter, swaps, batch), strict=True):
    if ('rest', swap.name) not in known:
      known['rest', swap.name] = _read(rest)
    before, after = known['rest', swap.name], _read(made)
    labels = np.degrees([swap.portrait.motion.z_pose[:3], swap.donor.motion.z_pose[:3]])
    turn = labels[1] - labels[0]
    asked = turn if swap.taken != 'dynamics' else np.zeros(3)
    row = {
      'clip': swap.name,
      'system': system,
      'asked': swap.asked,
      'found': float(before.found and after.found),
      'pose_change': float(geodesic_error(before.pose, after.pose)),
      'pose_asked': float(geodesic_error(labels[0], labels[1])),
      'pose_miss': float(geodesic_error(before.pose + asked, after.pose)),
      'turn_share': _share(wrap(after.pose - before.pose), turn),
      'mouth_change': float(after.mouth - before.mouth),
      'mouth_asked': float('nan'),
      'psnr': float('nan'),
      'identity': float('nan'),
      'identity_rest': float('nan'),
    }
    if swap.truth is not None:
      truth = swap.truth.astype(np.float32) / 255
      row['psnr'] = float(image.psnr(made[None], truth[None])[0])
      row['mouth_asked'] = (
        _remembered(known, swap.truth).mouth
        - _remembered(known, swap.portrait.picture).mouth
      )
    if swap.identity and describe is not None:
      row['identity'] = _distance(describe, known, swap.portrait.picture, made)
      key = ('rest distance', swap.name)
      if key not in known:
        known[key] = _distance(describe, known, swap.portrait.picture, rest)
      row['identity_rest'] = known[key]
    rows.append(row)
  return rows


def _share(change: np.ndarray, turn: np.ndarray) -> float:
  """The part of `change` along `turn`, in turns; NaN where there is none."""
  size = float(turn @ turn)
  return float(change @ turn) / size if size > 1e-6 else float('nan')


@dataclasses.dataclass(frozen=True)
class _Reading:
  """What the mesh says of a picture; NaN without a face."""

  pose: np.ndarray
  mouth: float

  @property
  def found(self) -> bool:
    return bool(np.isfinite(self.pose).all())


def judged(picture: np.ndarray) -> np.ndarray:
  """uint8 RGB, large enough for the detectors."""
  import cv2

  if picture.dtype != np.uint8:
    picture = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
  if picture.shape[0] < JUDGED_SIDE:
    size = (JUDGED_SIDE, JUDGED_SIDE)
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
  return picture


def _read(picture: np.ndarray) -> _Reading:
  points = find_mesh(judged(picture))
  if points is None:
    return _Reading(np.full(3, np.nan), float('nan'))
  return _Reading(mesh_pose(points), float(mouth_opening(points[None])[0]))


def _remembered(known: dict, picture: np.ndarray) -> _Reading:
  """A rendered picture is judged once; it lives as long as its swaps do."""
  key = ('mesh', id(picture))
  if key not in known:
    known[key] = _read(picture)
  return known[key]


def _distance(describe, known: dict, portrait: np.ndarray, made: np.ndarray) -> float:
  key = ('descriptor', id(portrait))
  if key not in known:
    known[key] = describe(judged(portrait))
  found = describe(judged(made))
  if found is None or known[key] is None:
    return float('nan')
  return float(np.linalg.norm(found - known[key]))


def _stacked(frames: Sequence[Frame]):
  pictures = jnp.asarray(np.stack([f.picture for f in frames]), jnp.float32) / 255
  motion = Motion(
    z_pose=jnp.asarray(np.stack([f.motion.z_pose for f in frames]), jnp.float32),
    z_dyn=jnp.asarray(np.stack([f.motion.z_dyn for f in frames]), jnp.float32),
  )
  return pictures, motion


def _rows(swaps: Sequence[Swap], *motions: Motion):
  for i, swap in enumerate(swaps):
    yield swap, *(Motion(m.z_pose[i], m.z_dyn[i]) for m in motions)
