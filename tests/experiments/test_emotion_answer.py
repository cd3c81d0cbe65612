"""What a model shows of an emotion, written beside its weights."""

import json

import numpy as np
import pytest

from experiments import emotion_answer
from experiments.motion_judging import speakers, systems, trials
from vasa_jax.errors import UserError
from vasa_jax.inference import bundle
from vasa_jax.inference.emotion_answer import NAME, SHOWN, answer_of

ANSWER = {
  'scores': [0.0, 0.5, 1.0],
  'amounts': dict.fromkeys(SHOWN, [0.0, 0.3, 0.5]),
}


def test_the_rest_of_a_config_stays():
  config = {'format': 1, 'meta': {'data': 'these', NAME: 'old'}, 'face': {'a': 1}}
  text = emotion_answer.noted(json.dumps(config), ANSWER)
  config['meta'][NAME] = ANSWER
  assert json.loads(text) == config
  assert answer_of(json.loads(emotion_answer.noted('{}', ANSWER))['meta']) is not None


def test_the_embedded_weights_have_theirs():
  found = answer_of(bundle.read_config(bundle.EMBEDDED)[1])
  assert found is not None
  assert all(0.3 < curve[-1] < 1.2 for curve in found.amounts.values())


@pytest.mark.parametrize('last', [0.7, 0.2, -0.1])
def test_each_emotion_has_its_own_curve(monkeypatch, tmp_path, capsys, last):
  first = [0, -0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8]  # falls by chance
  rows = [{'amounts': first}] * 6 + [{'amounts': [*first[:-1], last]}]
  monkeypatch.setattr(speakers, 'speakers', lambda *_: iter(()))
  monkeypatch.setattr(systems, 'model', lambda _: systems.System('model', None))
  monkeypatch.setattr(trials, 'emotion_rows', lambda *_: rows)
  if last < 0.6:
    with pytest.raises(UserError, match='surprise does not rise'):
      emotion_answer.measured('embedded', 0, 0)
    return
  found = emotion_answer.measured('embedded', 0, 0)
  np.testing.assert_allclose(found['amounts']['anger'], [0, 0, *first[2:]])
  np.testing.assert_allclose(found['amounts']['surprise'][-1], 0.7)
  assert answer_of({NAME: found}) is not None
  before = (bundle.EMBEDDED / 'config.json').read_bytes()
  assert emotion_answer.main(['--dry', '--speakers', '0']) == 0
  assert json.loads(capsys.readouterr().out)['amounts'] == found['amounts']
  assert (bundle.EMBEDDED / 'config.json').read_bytes() == before
