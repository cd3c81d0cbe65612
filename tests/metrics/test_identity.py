"""CSIM: marks on the face, embeddings that do not mind the framing, its own face."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.metrics.conftest import turned
from vasa_jax.errors import UserError
from vasa_jax.metrics import identity
from vasa_jax.metrics.evaluator import Clip, score_clip
from vasa_jax.metrics.identity import ArcFaceDescriptor, face_marks

# A small net of the published layout with random weights.
WEIGHTS = Path(__file__).parents[1] / 'teachers' / 'references' / 'arcface.npz'


@pytest.fixture(scope='module')
def arcface(tmp_path_factory):
  with np.load(WEIGHTS) as file:
    state = {name: file[name] for name in file.files if name not in ('seed', 'out')}
  path = tmp_path_factory.mktemp('weights') / 'arcface.npz'
  np.savez(path, **state)
  return pickle.loads(pickle.dumps(ArcFaceDescriptor(path)))  # as for a process


def test_marks_lie_on_the_face(portrait):
  mouth, left, right = face_marks(portrait)
  assert left[0] < mouth[0] < right[0] and mouth[1] > max(left[1], right[1])
  wide = cv2.copyMakeBorder(portrait, 0, 0, 40, 0, cv2.BORDER_CONSTANT)
  moved = face_marks(wide) * (wide.shape[1], wide.shape[0]) - (40, 0)
  np.testing.assert_allclose(moved, face_marks(portrait) * portrait.shape[0], atol=2.5)
  assert face_marks(np.full((64, 64, 3), 99, np.uint8)) is None


def test_framing_changes_little_and_the_picture_much(arcface, portrait):
  own = arcface(portrait)
  np.testing.assert_allclose(np.linalg.norm(own), 1, rtol=1e-5)
  wide = cv2.copyMakeBorder(portrait, 0, 0, 40, 0, cv2.BORDER_REFLECT)
  framed = [own @ arcface(other) for other in (turned(portrait, 8), wide)]
  dark = own @ arcface((portrait // 3).astype(np.uint8))
  blue = own @ arcface(np.ascontiguousarray(portrait[..., ::-1]))
  assert min(framed) > max(dark, blue)
  assert arcface(np.full((64, 64, 3), 99, np.uint8)) is None


def test_csim_of_a_clip_is_the_mean_cosine(videos, portrait):
  def embed(picture):  # unit vectors of the mean colour
    mean = picture.reshape(-1, 3).mean(0)
    return None if np.ptp(mean) < 1 else mean / np.linalg.norm(mean)

  clip = Clip('anna', videos / 'anna_1.mp4', portrait)
  found = score_clip(clip, embed=embed)['scores']
  assert 0.99 < found['csim'] <= 1 and 'identity' not in found
  purple = np.zeros_like(portrait)
  purple[..., 2] = 200
  other = score_clip(clip._replace(portrait=purple), embed=embed)['scores']
  assert other['csim'] < found['csim'] - 0.05
  assert 'csim' not in score_clip(Clip('wall', videos / 'wall.mp4'))['scores']


def test_another_file_is_refused(tmp_path, portrait):
  np.savez(tmp_path / 'x.npz', a=np.zeros(3))
  with pytest.raises(UserError, match='ArcFace'):
    ArcFaceDescriptor(tmp_path / 'x.npz')(portrait)
  identity._net.cache_clear()
