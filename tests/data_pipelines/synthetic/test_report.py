import dataclasses

import numpy as np
import pytest

from data_pipelines.synthetic import report


def test_the_card_shows_every_part_of_a_corpus(corpus, tmp_path, capsys):
  page = tmp_path / 'card.html'
  assert report.main([str(corpus), '--out', str(page)]) == 0
  text = page.read_text()
  for heading in ('People', 'Talk', 'Motion', 'Speech', 'Film'):
    assert f'<h2>{heading}</h2>' in text
  assert 'Licence: CC0-1.0' in text
  assert text.count('data:image/jpeg') == 2 and 'http' not in text.split('<svg')[0]
  printed = capsys.readouterr().out
  assert '"people": 10.0' in printed and str(page) in printed


def test_figures_count_what_is_there(drawn):
  clips = [drawn.make_clip(person) for person in (0, 0, 3)]
  clips[1] = dataclasses.replace(
    clips[1], truth=dataclasses.replace(clips[1].truth, style='{"kind": "oil"}')
  )
  found = report.figures(clips)
  assert found['clips'] == 3 and found['people'] == 2
  assert found['painted or drawn, share of clips'] == pytest.approx(1 / 3)
  step = np.rad2deg(1 / 100) / 3  # only the yaw moves
  assert found['delta P of talk, degrees a frame'] == pytest.approx(step, rel=1e-4)


def test_a_histogram_says_mean_and_counts():
  drawing = report.histogram('yaw', [1.0] * 30 + [3.0] * 10, bins=2)
  assert 'mean 1.5, sd 0.866' in drawing
  assert ': 30</title>' in drawing and ': 10</title>' in drawing
  named = report.counts_of('voice', ['a', 'b', 'a', '<c>'])
  assert 'a (50.0%)' in named and '&lt;c&gt;' in named


def test_a_folder_without_a_corpus_is_one_line(tmp_path, capsys):
  assert report.main([str(tmp_path)]) == 1
  assert capsys.readouterr().err.startswith('report: no finished corpus')
