"""The domain gap's arithmetic on faces whose errors are known."""

import numpy as np
import pytest

from experiments import domain_gap, fetch_photos
from experiments.gap import crops, regressor
from vasa_jax.errors import UserError

N = len(crops.MARKS)


@pytest.fixture(scope='module')
def faces():
  """Eight faces of four people: marks on a grid, read 3 px lower by the mesh."""
  rng = np.random.default_rng(0)
  marks = rng.uniform(40, 90, (8, N, 2)).astype(np.float32)
  marks[:, crops.CORNERS[0]], marks[:, crops.CORNERS[1]] = (44, 60), (84, 60)
  read = marks + np.float32((0, 3))
  pose = np.zeros((8, 3), np.float32)
  pictures = np.zeros((8, crops.SIDE, crops.SIDE, 3), np.uint8)
  return crops.Faces(pictures, marks, read, pose, pose + 1, np.arange(8) // 2)


def test_gap_of_known_errors(faces):
  photos = faces._replace(marks=np.full_like(faces.marks, np.nan))
  off = np.zeros((8, N, 2))
  off[..., 0] = 2.0  # px: 5 % of the eyes' width
  answers = {
    'test': (faces.marks + off, faces.pose),
    # On photographs the net errs by twice as much.
    'photos': (faces.marks + 2 * off, faces.pose),
  }
  result = domain_gap.measure(answers, faces, photos)
  assert result['exact']['rendered'] == pytest.approx(5)
  assert result['mesh']['rendered'] == pytest.approx(100 * np.hypot(2, 3) / 40)
  # The mesh's own habit, the same for all faces, is taken off.
  assert result['aligned']['ratio'] == pytest.approx(2, rel=1e-3)
  low, high = result['aligned']['ratio_ci']
  assert low == pytest.approx(2, rel=1e-3) and high == pytest.approx(2, rel=1e-3)
  yaw = dict(result['pose']['yaw'])
  assert yaw.pop('ratio_ci') == [1, 1]
  assert yaw == {'exact': 0, 'rendered': 1, 'photos': 1, 'ratio': 1}
  text = domain_gap.markdown(result | {'train_faces': 8})
  assert '| the renderer | 5.00 (5.00 to 5.00) |  |  |' in text


def test_offsets_turn_and_grow_with_the_face(faces):
  offset = np.random.default_rng(1).normal(0, 0.1, (N, 2))
  turn = 2 * np.array([[0.0, -1], [1, 0]])
  marks = faces.marks.astype(float)
  moved = domain_gap.add_offset(marks, offset)
  np.testing.assert_allclose(
    domain_gap.add_offset(marks @ turn, offset), moved @ turn, atol=1e-9
  )
  np.testing.assert_allclose(domain_gap.offset_of(marks, moved), offset, atol=1e-9)


def test_bootstrap_draws_groups():
  values = np.array([0.0, 0, 0, 9])
  draws = domain_gap.bootstrap(values, np.array([1, 1, 1, 2]), np.random.default_rng(0))
  # Only whole groups: none, both or one of them twice.
  assert set(np.round(draws, 6)) == {0.0, 2.25, 9.0}


def test_crop_maps_landmarks():
  picture = np.zeros((200, 200, 3), np.uint8)
  picture[98:103, 118:123] = 255
  points = np.array([[80.0, 80], [120, 100], [80, 120]])
  crop, matrix = crops.cut_face(picture, points)
  x, y = crops._moved(matrix, points)[1]
  assert crop[round(y), round(x)].min() > 150
  assert crop.shape == (128, 128, 3) and (crop > 60).mean() < 0.02


def test_jitter_moves_picture_and_marks_together(faces):
  pictures = faces.pictures.copy()
  i = crops.MARKS.index(61)
  j = crops.MARKS.index(291)  # its mirror image
  marks = faces.marks.copy()
  marks[:, i], marks[:, j] = (58, 70), (72, 70)
  pictures[:, 67:74, 55:62] = 255
  shown = faces._replace(pictures=pictures, marks=marks)
  rng = np.random.default_rng(2)
  batch, wanted = regressor.jitter(shown, np.arange(8), rng)
  assert batch.shape == (8, 96, 96, 3) and wanted.shape == (8, 2 * N + 3)
  got, _ = regressor.answers(wanted)
  edge = (crops.SIDE - regressor.INPUT) / 2
  hits = 0
  for row in range(8):
    spots = [got[row, k] - edge for k in (i, j)]
    bright = [batch[row, round(y), round(x)].mean() for x, y in spots]
    # A mirrored face swaps the two names.
    hits += max(bright) > batch[row].mean() + 20
  assert hits >= 7


def test_answers_undo_targets(faces):
  marks = faces.marks.astype(float)
  inner = (marks - (crops.SIDE - regressor.INPUT) / 2) / regressor.INPUT
  rows = regressor.targets(inner, faces.pose + 7)
  back, pose = regressor.answers(rows)
  np.testing.assert_allclose(back, marks, atol=1e-3)
  np.testing.assert_allclose(pose, 7, atol=1e-4)


def test_photographs_must_show_faces(tmp_path):
  with pytest.raises(UserError, match='fetch_photos'):
    crops.photographs(tmp_path)


def test_albums_are_checked(tmp_path):
  import zipfile

  archive = tmp_path / 'a.whl'
  with zipfile.ZipFile(archive, 'w') as file:
    file.writestr('p/x.jpg', b'one')
    file.writestr('p/y.txt', b'two')
  digest = fetch_photos.digest_of([b'one'])
  album = fetch_photos.Album('toy', 'toy==1', ('p/*.jpg',), digest, 'none')
  pictures = list(fetch_photos.from_archive(album, archive))
  assert pictures == [('.jpg', b'one')]
  assert fetch_photos.keep(album, pictures, tmp_path / 'o') == 1
  assert (tmp_path / 'o' / 'toy-00.jpg').read_bytes() == b'one'
  with pytest.raises(UserError, match='expected'):
    fetch_photos.keep(album, [('.jpg', b'other')], tmp_path / 'o')
