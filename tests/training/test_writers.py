"""Figures and pictures on disk."""

import json

import cv2
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.training.writers import Progress, Writer, encode_png


@pytest.mark.parametrize('shape', [(5, 7, 3), (1, 1, 3), (6, 4)])
def test_png_is_read_back_by_another_program(shape):
  picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
  data = np.frombuffer(encode_png(picture), np.uint8)
  read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
  expected = picture[..., ::-1] if picture.ndim == 3 else picture
  np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize(
  'picture', [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 4), np.uint8)]
)
def test_png_refuses_other_arrays(picture):
  with pytest.raises(ValueError, match='expected'):
    encode_png(picture)


def test_figures_go_on_after_an_interruption(tmp_path):
  writer = Writer(tmp_path, 0)
  writer.figures(2, {'loss': 1.0})
  writer.figures(4, {'loss': float('nan')})
  writer.close()
  with open(tmp_path / 'metrics.jsonl', 'a') as out:
    out.write('{"step": 6, "lo')  # power failure
  writer = Writer(tmp_path, 2)
  writer.figures(3, {'loss': 0.5, 'eval/psnr': 20})
  writer.close()
  rows = [
    json.loads(line) for line in (tmp_path / 'metrics.jsonl').read_text().splitlines()
  ]
  assert rows == [{'step': 2, 'loss': 1.0}, {'step': 3, 'loss': 0.5, 'eval/psnr': 20.0}]


def test_not_a_number_is_null(tmp_path):
  Writer(tmp_path, 0).figures(1, {'a': float('nan'), 'b': float('inf')})
  row = json.loads((tmp_path / 'metrics.jsonl').read_text())
  assert row == {'step': 1, 'a': None, 'b': None}


def test_pictures(tmp_path):
  Writer(tmp_path, 0).pictures(7, {'face': np.zeros((2, 2, 3), np.uint8)})
  assert (tmp_path / 'samples' / '00000007_face.png').exists()


def test_inactive_writer_writes_nothing(tmp_path):
  writer = Writer(tmp_path, 0, active=False)
  writer.figures(1, {'loss': 1.0})
  writer.pictures(1, {'face': np.zeros((2, 2, 3), np.uint8)})
  writer.close()
  assert not list(tmp_path.iterdir())


def test_refused_writes_are_one_line(tmp_path):
  (tmp_path / 'samples').write_text('in the way')
  writer = Writer(tmp_path, 0)
  with pytest.raises(UserError, match='samples') as caught:
    writer.pictures(1, {'face': np.zeros((2, 2, 3), np.uint8)})
  assert '\n' not in str(caught.value)


def test_plain_progress_lines(capsys):
  progress = Progress(10, 0)  # stderr is no terminal here
  progress.tell(5, {'loss': 0.25}, 90.0)
  progress.close()
  assert capsys.readouterr().err == 'step 5/10 loss=0.25 left=1.5min\n'
