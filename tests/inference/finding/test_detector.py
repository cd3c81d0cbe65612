import numpy as np
import pytest
from PIL import Image

from vasa_jax.inference.finding.detector import Face, _anchors, _suppress, find_faces


def test_anchors_are_cell_centres():
  anchors = _anchors(((8, 2), (16, 6)), 128)
  assert anchors.shape == (896, 2)
  np.testing.assert_allclose(anchors[0], [4 / 128, 4 / 128])
  np.testing.assert_allclose(anchors[2], [12 / 128, 4 / 128])  # x runs first
  np.testing.assert_allclose(anchors[-1], [120 / 128, 120 / 128])


def test_finds_the_face_of_the_portrait(picture):
  (face,) = find_faces(picture)
  left, top, right, bottom = face.box
  # The face of the shipped portrait lies at about (180..270, 70..180).
  assert 165 < left < 195 and 255 < right < 285 and 60 < top < 95 and 160 < bottom < 195
  eyes = face.keypoints[:2]
  assert eyes[0, 0] < eyes[1, 0]
  assert face.keypoints[3, 1] > face.keypoints[2, 1] > eyes[:, 1].max()


def test_two_faces_the_larger_first(picture):
  small = np.asarray(Image.fromarray(picture).resize((380, 380)))
  both = np.full((512, 892, 3), 128, np.uint8)
  both[:380, :380], both[:, 380:] = small, picture
  faces = find_faces(both)
  assert len(faces) == 2
  assert faces[0].size > faces[1].size
  assert faces[0].box[0] > 380


@pytest.mark.parametrize('at', [(0, 0), (1500, 1100), (700, 900)])
def test_small_face_in_a_large_picture(picture, at):
  scene = np.full((1600, 2000, 3), 90, np.uint8)
  piece = np.asarray(Image.fromarray(picture).resize((230, 230), Image.LANCZOS))
  x, y = at
  scene[y : y + 230, x : x + 230] = piece
  faces = find_faces(scene)
  assert len(faces) == 1
  middle = (faces[0].box[:2] + faces[0].box[2:]) / 2
  # 225, 127 is the middle of the face in the 512 px portrait.
  np.testing.assert_allclose(middle, np.array([225, 127]) * 230 / 512 + at, atol=6)


def test_nothing_in_noise_nor_in_plain_colour():
  noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
  assert find_faces(noise) == []
  assert find_faces(np.full((40, 900, 3), 200, np.uint8)) == []
  assert find_faces(np.zeros((1, 1, 3), np.uint8)) == []


def test_suppression_merges_what_overlaps_and_keeps_the_rest():
  def face(box, score):
    return Face(np.array(box, float), np.zeros((6, 2)), score)

  kept = _suppress(
    [face([0, 0, 10, 10], 0.9), face([1, 0, 11, 10], 0.3), face([50, 50, 60, 60], 0.7)]
  )
  assert len(kept) == 2
  np.testing.assert_allclose(kept[0].box, [0.25, 0, 10.25, 10])
  assert kept[0].score == 0.9
