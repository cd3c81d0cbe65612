import json
import os
import subprocess
import sys

import numpy as np
import pytest

from data_pipelines.errors import UserError
from data_pipelines.synthetic import speech_hours
from data_pipelines.synthetic.speaking import (
  formant,
  grammar,
  languages,
  phones,
  singing,
  speech,
  voices,
)

TEN_HOURS = 36_000.0


def test_a_grammar_draws_from_its_rules():
  rules = 'S = {a}, {b}! | {b} *3\na = one | two\nb = an {c}\n  | {c}\nc = apple'
  made = grammar.Grammar(rules)
  assert made.count() == 2 * 2 + 2
  rng = np.random.default_rng(0)
  drawn = [made.draw(rng) for _ in range(400)]
  assert set(drawn) == {
    'One, an apple!', 'Two, an apple!', 'One, apple!', 'Two, apple!', 'An apple',
    'Apple',
  }  # fmt: skip
  assert 250 < sum(',' not in text for text in drawn) < 350  # three times as often
  assert made.pieces() == ['', ', !', 'an', 'apple', 'one', 'two']


@pytest.mark.parametrize(
  'rules', ['S = {b}', 'S = a |', 'S = {S}', 'no rule', 'S = {a}\na = x {S}']
)
def test_a_broken_grammar_is_refused(rules):
  with pytest.raises(ValueError, match='rule'):
    grammar.Grammar(rules)


@pytest.mark.parametrize('language', languages.LANGUAGES)
def test_a_language_has_ten_hours_of_sentences(language):
  rng = np.random.default_rng(0)
  drawn = [languages.sentence(rng, language) for _ in range(2000)]
  # two draws hardly ever meet: for n texts that are as likely, 2000 draws meet in
  # 2000^2 / 2n pairs
  meetings = len(drawn) - len(set(drawn))
  assert 2000**2 / (2 * max(meetings, 1)) * 2.5 > TEN_HOURS / 2
  assert languages.grammar(language).count() * 2.0 > 1e6 * TEN_HOURS
  assert not any('{' in text or '|' in text or '  ' in text for text in drawn)
  marks = [text[-1] for text in drawn]
  assert len(set(marks)) >= 3 and sum(mark.isalpha() for mark in marks) == 0


def test_sentences_belong_to_one_split():
  rng = np.random.default_rng(1)
  kept = {
    split: {languages.sentence(rng, 'en', split) for _ in range(300)}
    for split in languages.SPLITS
  }
  assert not kept['train'] & kept['test'] and not kept['train'] & kept['validation']
  assert not kept['test'] & kept['validation']
  assert languages.split_of_text('Nobody, moved!') == languages.split_of_text(
    'nobody moved'
  )
  drawn = [languages.split_of_text(languages.sentence(rng)) for _ in range(2000)]
  assert 0.86 < drawn.count('train') / 2000 < 0.94
  assert 0.03 < drawn.count('test') / 2000 < 0.07
  with pytest.raises(ValueError, match='split'):
    languages.sentence(rng, 'en', 'tests')
  with pytest.raises(ValueError, match='no texts'):
    languages.sentence(rng, 'xx')


def test_speakers_belong_to_one_split_whatever_their_accent():
  assert voices.speaker_of('espeak:de+f2') == voices.speaker_of('espeak:en-us+f2')
  assert voices.speaker_of('kokoro:jf_alpha') == voices.speaker_of('kokoro:ja+jf_alpha')
  assert voices.speaker_of('espeak:de') == voices.speaker_of('espeak:en')
  speakers = {
    split: {voices.speaker_of(v) for v in voices.voices_of(split)}
    for split in languages.SPLITS
  }
  everyone = {voices.speaker_of(v) for v in speech.available_voices(None)}
  assert sum(map(len, speakers.values())) == len(everyone)
  assert set.union(*speakers.values()) == everyone
  # the built-in voice alone has speakers for every split
  for split, least in (('train', 50), ('validation', 6), ('test', 6)):
    found = voices.voices_of(split, ('formant',))
    assert len(found) >= least
    assert {voices.sex_of(v) for v in found} >= {'man', 'woman'}
  assert voices.sex_of('formant:child') == 'child'
  with pytest.raises(UserError, match='belongs to test'):
    voices.voices_of('test', ('formant:man',))
  with pytest.raises(UserError, match='none of'):
    voices.voices_of('tests')


def test_say_stays_within_its_split():
  heard = {}
  for split in ('train', 'test'):
    rng = np.random.default_rng(3)
    heard[split] = [voices.say(rng, split, ('formant',)) for _ in range(24)]
    assert {voices.split_of_voice(said.voice) for said in heard[split]} == {split}
    styles = [said.style for said in heard[split]]
    assert 1 <= 24 - styles.count('speech') <= 6
  spoken = [{said.text for said in heard[split]} for split in heard]
  assert not spoken[0] & spoken[1]
  again = voices.say(np.random.default_rng(3), 'test', ('formant',))
  np.testing.assert_array_equal(again.audio, heard['test'][0].audio)
  assert again.phones == heard['test'][0].phones
  for seed in range(4):
    said = voices.say(np.random.default_rng(seed), 'validation', ('formant',), 5.0)
    assert said.seconds >= 5.0


@pytest.mark.parametrize('kind', ['singing', 'humming'])
def test_songs_hold_their_notes(kind):
  songs = [
    singing.sing(np.random.default_rng(seed), 'formant:man', 'Put the map above, Bob.')
    for seed in range(12)
  ]
  song = [song for song in songs if song.style == kind][0]
  held = [
    p for p in song.phones if p.name in (*phones.VOWELS, 'm') and p.end - p.start > 0.3
  ]
  assert held and song.phones[-1].end == pytest.approx(song.seconds)
  if kind == 'humming':
    assert {p.name for p in song.phones} == {'sil', 'm'}
  long = max(held, key=lambda p: p.end - p.start)
  part = song.audio[int((long.start + 0.1) * 16000) : int((long.end - 0.05) * 16000)]
  # a held note is loud and has one pitch: its autocorrelation comes back after a period
  whole = np.sqrt(np.mean(song.audio**2))
  assert np.sqrt(np.mean(part**2)) > 0.4 * whole
  part = part[:1600]  # a tenth of a second: vibrato hardly moves within it
  power = np.correlate(part, part, 'full')[len(part) - 1 :]
  period = 40 + int(power[40:250].argmax())
  assert power[period] > 0.6 * power[0]


def _lists(language):
  pieces = languages.grammar(language).pieces()
  return ['. '.join(pieces[i : i + 80]) for i in range(0, len(pieces), 80)]


def programs_with_ipa():
  """Languages for which this machine has a program that names its phonemes."""
  spoken = {speech.language_of(v) for v in speech.available_voices(None)}
  return sorted(spoken - {'en'}) or ['en']


@pytest.mark.parametrize('language', programs_with_ipa())
def test_every_symbol_that_a_program_names_is_known(language):
  accents = speech.ESPEAK_ACCENTS[language] if language != 'en' else ()
  for accent in accents:
    heard = set()
    for text in _lists(language):
      ask = {'text': text, 'voice': accent, 'rate': 400, 'range': 50, 'pitch': 50}
      said = speech._ask_espeak('speak', **ask).stdout.partition(b'\n')[0]
      heard |= {symbol for _, symbol in json.loads(said)['events']}
    unknown = sorted(s for s in heard if not phones.knows_ipa(s, language))
    assert not unknown, (accent, unknown)
    named = {name for symbol in heard for name in phones.from_ipa(symbol, language)}
    assert len(named) >= 20
  # and the programs' absence leaves the built-in voice, which needs no symbols
  assert 'formant:man' in speech.available_voices()


def test_the_same_is_said_in_another_process():
  code = (
    'import hashlib, numpy as np;from data_pipelines.synthetic.speaking import voices;'
    'said = [voices.say(np.random.default_rng(1), "train", VOICES)];'
    'print(*(hashlib.sha256(x.audio).hexdigest() for x in said), said[0].phones[3])'
  )
  quick = [v for v in ('flite', 'espeak', 'formant') if _here(v)]
  code = code.replace('VOICES', repr(tuple(quick)))
  said = [
    subprocess.run(
      [sys.executable, '-c', code],
      capture_output=True, text=True, check=True,
      env={**os.environ, 'PYTHONHASHSEED': s},
    ).stdout
    for s in ('1', '2')
  ]  # fmt: skip
  assert said[0] == said[1] and len(said[0]) > 66


def _here(program):
  return any(v.startswith(f'{program}:') for v in speech.available_voices(None))


def test_a_survey_counts_what_is_spoken(capsys):
  found = speech_hours.survey('test', 6, voice_names=('formant',), draws=500)
  assert found.spoken == found.distinct_sounds == 6 and found.distinct_texts >= 5
  assert found.speakers == found.voices == formant.SPEAKERS - 54
  assert found.languages == {'en': 6} and found.seconds.min() > 0.5
  assert 0.4 < found.sounding < 1 and found.texts['en'] >= 400
  assert found.hours == pytest.approx(
    found.texts['en'] * float(found.seconds.mean()) / 3600
  )
  assert speech_hours.main(['--voices', 'formant:giant', '--count', '1']) == 1
  assert 'no voice' in capsys.readouterr().err
