"""Windows and generation: chaining, determinism, any length, controls, bad input."""

import dataclasses
import tracemalloc
import wave

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.motion.test_transformer import awake
from vasa_jax.audio.hearing import hear
from vasa_jax.errors import UsageError, UserError
from vasa_jax.inference.bundle import EMBEDDED, load_bundle
from vasa_jax.motion import conditions as conditions_lib
from vasa_jax.motion import config as config_lib
from vasa_jax.motion import step, windows
from vasa_jax.motion.generate import MotionGenerator, window_conditions
from vasa_jax.motion.transformer import MotionTransformer
from vasa_jax.types import NUM_UNITS, Controls

TINY = config_lib.tiny()
# Frames and values of what the shipped weights make of the shipped voice.
PINNED_ROWS = [0, 49, 50, 119]
PINNED_COLUMNS = [0, 1, 3, 41, 42, 58]
PINNED = [
  [-0.1142, -0.0220, 0.0833, 0.0015, 0.0008, 0.1426],
  [-0.1178, -0.1062, 0.0803, 0.0024, 0.0000, 0.1517],
  [0.0780, 0.0344, 0.1000, 0.0016, 0.0016, -0.0869],
  [0.0698, -0.0155, 0.0881, 0.0000, 0.0000, -0.0930],
]


def speech(frames, seed=0):
  rng = np.random.default_rng(seed)
  return rng.normal(size=(frames, TINY.audio_dim)).astype(np.float32)


@pytest.fixture(scope='module')
def generator():
  params = jax.jit(lambda key: step.init_params(TINY, key))(jax.random.key(0))
  params['params'] = awake(params['params'])
  params['stats']['distance'] = jnp.array([0.1, 0.2])
  return MotionGenerator(TINY, params)


def flat(motion):
  return np.concatenate([motion.z_pose, motion.z_dyn], -1)


def test_blocks_do_not_depend_on_chunks():
  whole = speech(37)
  for size in (1, 7, 8, 37):
    chunks = [whole[i : i + size] for i in range(0, 37, size)]
    found = list(windows.blocks(chunks, 8))
    assert [block.count for block in found] == [8, 8, 8, 8, 5]
    joined = np.concatenate([block.features for block in found])
    np.testing.assert_array_equal(joined[:37], whole)
    assert not np.any(joined[37:])


def test_advance_keeps_the_last_frames():
  motion = jnp.arange(TINY.window * TINY.motion_dim, dtype=jnp.float32)
  motion = motion.reshape(TINY.window, TINY.motion_dim)
  features = speech(TINY.window)
  past = windows.advance(motion, features, TINY)
  np.testing.assert_array_equal(past.motion, motion[-TINY.previous :])
  np.testing.assert_array_equal(past.features, features[-TINY.previous :])
  assert past.known and not windows.no_past(TINY).known


def test_same_seed_same_motion(generator):
  features = speech(20)
  one, two = generator.generate(features, key=3), generator.generate(features, key=3)
  np.testing.assert_array_equal(flat(one), flat(two))
  np.testing.assert_array_equal(
    flat(one), flat(generator.generate(features, key=jax.random.key(3)))
  )
  assert np.abs(flat(one) - flat(generator.generate(features, key=4))).max() > 0.01


def test_chunks_do_not_matter(generator):
  features = speech(21)
  chunks = [features[:2], features[2:13], features[13:]]
  streamed = list(generator.windows(chunks))
  assert [len(motion.z_pose) for motion in streamed] == [8, 8, 5]
  np.testing.assert_array_equal(
    np.concatenate([flat(m) for m in streamed]), flat(generator.generate(features))
  )


def test_any_length_compiles_once(generator):
  before = MotionGenerator(TINY, generator.params)
  for frames in (1, 5, 8, 9, 30):
    assert before.generate(speech(frames)).z_dyn.shape == (frames, TINY.dynamics_dim)
  before.generate(speech(9), Controls(gaze=np.array([10.0, 0.0])), guidance_gaze=0.3)
  assert before.traces == 1
  before.generate(speech(9), guidance_gaze=0.0)
  assert before.traces == 2


def test_no_guidance_is_the_conditional(generator):
  """One step from noise is the network's answer to it; weights of 0 change nothing."""
  config, params, f = TINY, generator.params, speech(8)
  nothing = {f'guidance_{name}': 0.0 for name in conditions_lib.CONDITIONS}
  found = flat(generator.generate(f, key=3, steps=1, **nothing))
  noise = jax.random.normal(
    jax.random.fold_in(jax.random.key(3), 0), (1, config.window, config.motion_dim)
  )
  stats = params['stats']
  given = window_conditions(
    windows.no_past(config), jnp.asarray(f), 8,
    conditions_lib.wishes(Controls(), 0, 8, config, stats),
  )  # fmt: skip
  z = MotionTransformer(config).apply(
    {'params': params['params']}, noise, jnp.array([999]), given
  )
  said = conditions_lib.to_motion(conditions_lib.denormalise(z[0], stats), config)
  np.testing.assert_allclose(found, flat(said), atol=1e-6)
  # And a weight that is all but 0 goes through the batch of variants.
  small = {**nothing, 'guidance_audio': 1e-9, 'guidance_emotion': 1e-9}
  np.testing.assert_allclose(
    flat(generator.generate(f, key=3, steps=1, **small)), found, atol=1e-6
  )


def test_every_condition_can_guide(generator):
  f = speech(16)
  controls = Controls(
    gaze=np.array([20.0, 0.0]), distance=np.array([1.4]), emotion=np.eye(8)[4]
  )
  plain = flat(generator.generate(f, controls))
  for name in conditions_lib.CONDITIONS:
    made = flat(generator.generate(f, controls, **{f'guidance_{name}': 2.0}))
    assert np.abs(made[8:] - plain[8:]).max() > 1e-4, name


def test_an_emotion_that_nobody_asked_for_costs_nothing(generator):
  """It is null: guiding away from null would change nothing, so it is left out."""
  own = MotionGenerator(TINY, generator.params)
  plain = flat(own.generate(speech(9)))
  np.testing.assert_array_equal(
    flat(own.generate(speech(9), guidance_emotion=2.0)), plain
  )
  assert own.traces == 1
  happy = Controls(emotion=np.eye(8)[4])
  calm = flat(own.generate(speech(9), happy, guidance_emotion=0.0))
  assert own.traces == 1
  shown = flat(own.generate(speech(9), happy, guidance_emotion=2.0))
  assert own.traces == 2 and np.abs(shown - calm).max() > 1e-4


def test_samplers_agree_on_many_steps(generator):
  one = flat(generator.generate(speech(8), steps=60))
  two = flat(generator.generate(speech(8), steps=60, sampler='dpm++', spacing='logsnr'))
  few = flat(generator.generate(speech(8), steps=1))
  assert np.abs(one - two).mean() < 0.2 * np.abs(one - few).mean()


def test_conditions_are_read_once_a_window():
  """Inside the loop over steps nothing has the size of an audio feature."""
  config = dataclasses.replace(TINY, audio_dim=37, attention='cached', layout='tokens')
  params = jax.eval_shape(lambda k: step.init_params(config, k), jax.random.key(0))
  generator = MotionGenerator(config, params)
  past = jax.eval_shape(lambda: windows.no_past(config))
  given = jax.eval_shape(
    lambda: conditions_lib.wishes(
      Controls(), 0, 8, config, conditions_lib.identity_stats(config)
    )
  )
  traced = jax.make_jaxpr(
    lambda *args: generator._sample(
      *args, steps=4, names=('audio',), kind='ddim', spacing='uniform'
    )
  )(params, past, jnp.zeros((8, 37)), 8, given, jax.random.key(0), jnp.ones(1))
  assert '37]' in str(traced)
  (loop,) = [e for e in traced.eqns if e.primitive.name == 'scan']
  assert '37' not in str([v.aval for v in loop.invars])
  assert loop.params['length'] == 4
  # 11 conditions of 3 + 3 + 3 + 8 tokens are gone: time and motion alone go on.
  tokens = [
    shape for e in loop.params['jaxpr'].eqns for v in e.outvars
    if (shape := v.aval.shape)[::2] == (2, config.ffn) and len(shape) == 3
  ]  # fmt: skip
  assert {shape[1] for shape in tokens} == {9, 8}  # the last layer: motion alone


def test_padding_may_repeat():
  blocks = list(windows.blocks([speech(13)], 8, 'repeat'))
  assert [block.count for block in blocks] == [8, 5]
  assert np.all(blocks[1].features[5:] == speech(13)[-1])


def test_the_embedded_weights_say_what_they_said():
  """The default path of the shipped weights, pinned: a change of it must be meant."""
  bundle = load_bundle()
  with wave.open(str(EMBEDDED.parent / 'examples' / 'voice.wav')) as file:
    samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
  heard = hear(bundle.hears)(samples)

  def made(config):
    return flat(MotionGenerator(config, bundle.motion_params).generate(heard, key=3))

  apart = dataclasses.replace(bundle.motion_config, join_pose=0, join_dynamics=0)
  plain, joined = made(apart), made(bundle.motion_config)
  assert plain.shape == (133, 60) and np.isfinite(plain).all()
  np.testing.assert_allclose(plain[PINNED_ROWS][:, PINNED_COLUMNS], PINNED, atol=2e-4)
  # The first window has nothing to be joined to; the head of the others does not jump.
  np.testing.assert_allclose(joined[:50], plain[:50], atol=2e-4)
  change = np.abs(np.diff(joined[:, :3], axis=0)).max(1)
  assert max(change[49], change[99]) <= 1.5 * np.median(change)
  wild = np.abs(np.diff(plain[:, :3], axis=0)).max(1)
  assert max(wild[49], wild[99]) > 3 * np.median(wild)


def test_joined_windows_go_on():
  """A smooth window moved away from its past comes back to it, and to itself."""
  config = dataclasses.replace(TINY, window=20, join_pose=10, join_dynamics=4)
  z = 5 + 0.1 * jnp.arange(20.0)[None, :, None] * jnp.ones((1, 1, config.motion_dim))
  past = windows.advance(jnp.zeros((20, config.motion_dim)), jnp.zeros((20, 1)), config)
  bent = np.asarray(windows.joined(z, past, config))[0]
  np.testing.assert_allclose(bent[0], 0.1, atol=1e-5)  # one step of its own
  np.testing.assert_allclose(bent[10:, :6], z[0, 10:, :6])
  np.testing.assert_allclose(bent[4:, 6:], z[0, 4:, 6:])
  assert np.all(np.diff(bent, axis=0) > 0)
  np.testing.assert_array_equal(windows.joined(z, windows.no_past(config), config), z)
  off = dataclasses.replace(config, join_pose=0, join_dynamics=0)
  np.testing.assert_array_equal(windows.joined(z, past, off), z)


def test_later_audio_does_not_change_earlier_windows(generator):
  long = speech(24)
  one, two = generator.generate(long[:16]), generator.generate(long)
  np.testing.assert_array_equal(flat(one), flat(two)[:16])


def test_padding_is_not_heard(generator):
  # 5 frames of audio: the rest of the window must be null, not silence of value 0.
  short = generator.generate(speech(5))
  silent = np.concatenate([speech(5), np.zeros((3, TINY.audio_dim), np.float32)])
  assert np.abs(flat(short) - flat(generator.generate(silent))[:5]).max() > 1e-3


def test_past_is_used(generator):
  one, two = speech(16), speech(16)
  two[:8] = speech(8, seed=9)
  a, b = flat(generator.generate(one)), flat(generator.generate(two))
  assert np.abs(a[8:] - b[8:]).max() > 1e-3


def test_no_jump_between_windows():
  """A network that goes on from X_pre leaves no seam; one that does not, does."""
  config = dataclasses.replace(TINY, guidance_audio=0.0, guidance_gaze=0.0)
  generator = MotionGenerator(config, step.init_params(config, jax.random.key(0)))

  def going_on(params, given, names, weights):
    last, before = given.previous_motion[:, -1:], given.previous_motion[:, -2:-1]
    ahead = jnp.arange(1, config.window + 1)[None, :, None]
    known = given.keep.previous_motion[:, None, None]
    return lambda x_t, t: last + ahead * jnp.where(known, last - before, 0.1)

  generator._predictor = going_on
  pose = generator.generate(speech(40)).z_pose
  np.testing.assert_allclose(np.diff(pose, axis=0), 0.1, atol=1e-4)


def test_controls_reach_the_motion(generator):
  features = speech(16)
  plain = flat(generator.generate(features))
  emotion = np.eye(8, dtype=np.float32)[4]
  for controls in (
    Controls(gaze=np.array([20.0, 0.0])),
    Controls(distance=np.array([1.4])),
    Controls(emotion=emotion),
  ):
    assert np.abs(flat(generator.generate(features, controls)) - plain).max() > 1e-3
  # The defaults of the paper: to the front, mean distance.
  mean = float(np.exp(0.1))
  default = Controls(gaze=np.zeros(2), distance=np.array([mean]))
  np.testing.assert_allclose(
    flat(generator.generate(features, default)), plain, atol=1e-4
  )


def test_controls_over_time(generator):
  features = speech(24)
  gaze = np.zeros((12, 2), np.float32)
  plain = flat(generator.generate(features))
  gaze[8:] = 20.0
  turned = flat(generator.generate(features, Controls(gaze=gaze)))
  np.testing.assert_allclose(turned[:8], plain[:8], atol=1e-5)
  assert np.abs(turned[8:16] - plain[8:16]).max() > 1e-3
  # Between key frames of one window the mean counts; after the last it holds.
  stats = generator.params['stats']
  controls = Controls(gaze=gaze)
  for start, expected in ((0, 0.0), (8, 1.0), (16, 1.0), (6, 0.75)):
    found = conditions_lib.wishes(controls, start, 8, TINY, stats).gaze
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_units_stay_in_range(generator):
  made = generator.generate(speech(16))
  units = made.z_dyn[:, :NUM_UNITS]
  assert units.min() >= 0 and units.max() <= 1.4
  assert made.z_dyn[:, NUM_UNITS:].min() < 0  # eye angles are free
  x = np.full((2, TINY.motion_dim), -3.0, np.float32)
  free = dataclasses.replace(TINY, anchored=False)
  assert conditions_lib.to_motion(x, free).z_dyn.min() == -3


def test_memory_does_not_grow_with_length(generator):
  def peak(chunks):
    tracemalloc.start()
    for _ in generator.windows(speech(8, seed=1) for _ in range(chunks)):
      pass
    result = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result

  peak(4)
  assert peak(80) < 2 * peak(8)


@pytest.mark.parametrize(
  'arguments, message',
  [
    ({'steps': 0}, 'steps=0'),
    ({'steps': 5000}, 'steps=5000'),
    ({'controls': Controls(gaze=np.zeros(3))}, 'gaze'),
    ({'controls': Controls(emotion=np.zeros((4, 7)))}, 'emotion'),
    ({'controls': Controls(distance=np.array([0.0]))}, 'distance'),
    ({'controls': Controls(gaze=np.array([np.nan, 0]))}, 'gaze'),
  ],
)
def test_bad_arguments(generator, arguments, message):
  with pytest.raises(UsageError, match=message):
    generator.windows([speech(8)], **arguments)


def test_bad_features(generator):
  with pytest.raises(UsageError, match='320'):
    generator.generate(np.zeros((8, 13), np.float32))
  for nothing in ([], [speech(0)]):
    with pytest.raises(UserError, match='empty'):
      list(generator.windows(nothing))
