"""Files as published, of narrow random nets, read and put into labels."""

import pathlib

import numpy as np
import pytest
from scipy.io import savemat

from data_pipelines.errors import UserError
from data_pipelines.perceive import published
from vasa_jax.teachers.face_recon import ReconConfig
from vasa_jax.teachers.gaze import GazeConfig

REFERENCE = pathlib.Path(__file__).parents[2] / 'teachers' / 'references' / 'resnet.npz'
SMALL = {'stages': (1, 2, 1, 1), 'width': 2}


def _weights(folder, name):
  with np.load(REFERENCE) as file:
    keep = [key for key in file.files if key.startswith(f'{name}/')]
    path = folder / f'{name}.npz'
    np.savez(path, **{key.removeprefix(f'{name}/'): file[key] for key in keep})
  return str(path)


@pytest.fixture(scope='module')
def standard(tmp_path_factory):
  points = np.random.default_rng(0).normal(0, 0.3, (68, 3))
  path = tmp_path_factory.mktemp('release') / 'similarity_Lm3D_all.mat'
  points[[36, 39, 42, 45]] = [[-0.4, 0.3, 0.3], [-0.2, 0.3, 0.3], [0.2, 0.3, 0.3],
                              [0.4, 0.3, 0.3]]  # fmt: skip
  points[[30, 48, 54]] = [[0, 0, 0.6], [-0.3, -0.3, 0.3], [0.3, -0.3, 0.3]]
  savemat(path, {'lm': points})
  return str(path)


def test_gaze_of_l2cs_takes_the_place_of_ours(tmp_path, cut_out, read_crop):
  path = _weights(tmp_path, 'l2cs')
  with np.load(path) as file:
    state = dict(file)
  # sure of its last bin of yaw, 8 degrees, and of its first of pitch, -12
  state['fc_yaw_gaze.bias'] = np.array([0, 0, 0, 0, 0, 200], np.float32)
  state['fc_pitch_gaze.bias'] = np.array([200, 0, 0, 0, 0, 0], np.float32)
  np.savez(path, **state)
  read = published.load_l2cs(path, GazeConfig(**SMALL, bins=6, side=64))
  crops = np.stack([cut_out()] * 2)
  ours = read_crop(crops[0])
  theirs = published.with_published(ours, crops, gaze=read)
  # its yaw grows to the left of the picture, ours to the right
  np.testing.assert_allclose(theirs.gaze, [[-8, -12]] * 2, atol=1e-3)
  assert theirs.gaze.dtype == np.float32
  np.testing.assert_array_equal(theirs.pose, ours.pose)


def test_the_net_sees_the_face_alone(cut_out, read_crop):
  crop = cut_out()
  landmarks = read_crop(crop).landmarks[0]
  marked = crop.copy()
  marked[:, :20] = (255, 0, 0)  # beside the face
  faces = [published._face(picture, landmarks, 64) for picture in (crop, marked)]
  np.testing.assert_array_equal(*faces)
  assert faces[0].shape == (64, 64, 3)
  outside = published._face(crop, landmarks + 2, 64)  # a face beyond the picture
  assert outside.shape == (64, 64, 3)


def test_angles_of_deep3d_take_the_place_of_ours(
  tmp_path, standard, cut_out, read_crop
):
  config = ReconConfig(**SMALL)
  read = published.load_deep3d(_weights(tmp_path, 'recon'), standard, config)
  crops = np.stack([cut_out()] * 2)
  ours = read_crop(crops[0])
  theirs = published.with_published(ours, crops, pose=read)
  assert theirs.pose.shape == (2, 5)
  assert np.abs(theirs.pose[:, :3] - ours.pose[:, :3]).max() > 0.1
  np.testing.assert_array_equal(theirs.pose[:, 3:], ours.pose[:, 3:])
  np.testing.assert_array_equal(theirs.gaze, ours.gaze)


def test_batches_keep_their_order():
  def mean(x):
    return x.mean((1, 2, 3))[:, None]

  pictures = [np.full((2, 2, 3), i, np.uint8) for i in range(37)]
  out = published._in_batches(mean, pictures)
  np.testing.assert_allclose(out[:, 0] * 255, np.arange(37), atol=1e-4)


def test_other_files_are_refused(tmp_path, standard):
  wrong = tmp_path / 'a.mat'
  wrong.write_text('no')
  with pytest.raises(UserError, match='similarity_Lm3D_all'):
    published.read_standard(str(wrong))
  assert published.read_standard(standard).shape == (5, 3)
  with pytest.raises(UserError, match=r'a\.mat'):
    published.load_l2cs(str(wrong))
