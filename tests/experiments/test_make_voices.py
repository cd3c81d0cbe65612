"""Voices for judging: silent at their end, with phones that fit, of the test split."""

import json
import wave

import numpy as np
import pytest

from data_pipelines.errors import UserError
from data_pipelines.synthetic.speaking.voices import split_of_voice
from experiments import make_voices
from experiments.make_voices import LINE, SAMPLE_RATE, TAKES, Take, main


def test_all_takes_are_of_the_test_split():
  assert len({take.name for take in TAKES}) == len(TAKES) == 6
  assert {split_of_voice(take.voice) for take in TAKES} == {'test'}
  with pytest.raises(ValueError, match='a voice of training'):
    make_voices.recorded(Take('x', 'formant:s03'), np.random.default_rng(0))


def test_files_fit_their_phones(tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(make_voices, '_TRIES', 2)
  monkeypatch.setattr(make_voices, 'TAKES', (
    Take('sung', 'formant:s54', sung=True), Take('line', 'formant:s55', room=LINE),
  ))  # fmt: skip
  assert main(['--out', str(tmp_path)]) == 0
  for name in ('sung', 'line'):
    with wave.open(str(tmp_path / f'{name}.wav')) as file:
      assert file.getframerate() == SAMPLE_RATE
      audio = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32767
    about = json.loads((tmp_path / f'{name}.phones.json').read_text())
    phones = about['phones']
    assert phones[0][1] == 0 and phones[-1][0] == 'sil'
    assert phones[-1][2] == pytest.approx(len(audio) / SAMPLE_RATE)
    assert phones[-1][2] - phones[-1][1] >= 1
    assert 3 < len(audio) / SAMPLE_RATE < 12
    last, first = audio[-SAMPLE_RATE:].std(), audio[:-SAMPLE_RATE].std()
    # A line hisses on when nobody speaks.
    assert last == 0 if name == 'sung' else 0 < last < 0.1 * first
  once = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
  assert main(['--out', str(tmp_path)]) == 0
  assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == once
  capsys.readouterr()


def test_a_missing_program_leaves_one_out(tmp_path, monkeypatch, capsys):
  monkeypatch.setattr(make_voices, '_TRIES', 1)

  def mute(*_):
    raise UserError('no voice on this machine')

  monkeypatch.setattr(make_voices, 'speak', mute)
  monkeypatch.setattr(make_voices, 'TAKES', (
    Take('english', 'flite:awb'), Take('sung', 'formant:s54', sung=True),
  ))  # fmt: skip
  assert main(['--out', str(tmp_path)]) == 0
  assert 'left out english: no voice' in capsys.readouterr().err
  assert sorted(p.name for p in tmp_path.iterdir()) == ['sung.phones.json', 'sung.wav']
