import json

import cv2
import numpy as np

from data_pipelines import inspect


def test_blinks_and_head_motion_are_counted():
  closure = np.array([0.9, 0, 0.5, 0.9, 1.0, 0.4, 0, 1.0])
  assert inspect.count_blinks(closure) == 3
  pose = np.zeros((5, 5))
  pose[:, 0] = [0, 3, 0, 3, 0]  # 3 degrees a frame in one of three angles
  assert inspect.delta_pose(pose) == 1.0
  assert inspect.delta_pose(pose[:1]) == 0.0


def test_the_command_prints_figures_and_draws_a_sheet(corpus, tmp_path, capsys):
  sheet = tmp_path / 'sheet.png'
  assert inspect.main([str(corpus), '--out', str(sheet), '--rows', '3']) == 0
  text = capsys.readouterr().out
  figures = json.loads(text[: text.rindex('}') + 1])
  assert figures['clips'] == figures['people'] == figures['talking'] == 10
  assert figures['frames'] == 120 and figures['damaged'] == 0
  # yaw moves by 0.01 rad a frame, the other two angles not at all
  assert figures['delta_pose'] == round(np.rad2deg(0.01) / 3, 4)
  assert cv2.imread(str(sheet)).shape == (3 * 128, 10 * 128, 3)


def test_a_damaged_record_is_reported(tmp_path, drawn, capsys):
  drawn.write_corpus(tmp_path, [drawn.make_clip(0), b'bad'])
  assert inspect.main([str(tmp_path)]) == 0
  told = capsys.readouterr()
  assert 'record 1 is damaged' in told.err
  assert '"damaged": 1' in told.out


def test_errors_are_one_line(tmp_path, corpus, capsys):
  assert inspect.main([str(tmp_path)]) == 1
  assert inspect.main([str(corpus), '--out', '/nowhere/at/all.png']) == 1
  assert inspect.main([str(corpus), '--split', 'test']) == 1
  lines = capsys.readouterr().err.splitlines()
  assert len([line for line in lines if line.startswith('inspect: ')]) == 3
