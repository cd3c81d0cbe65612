import jax
import pytest

from vasa_jax.inference.compilation import cache_folder, enable_cache


@pytest.fixture
def restore():
  names = (
    'jax_compilation_cache_dir',
    'jax_persistent_cache_min_compile_time_secs',
    'jax_persistent_cache_min_entry_size_bytes',
  )
  kept = {name: getattr(jax.config, name) for name in names}
  yield
  for name, value in kept.items():
    jax.config.update(name, value)


def test_folder_follows_the_environment(monkeypatch, tmp_path):
  monkeypatch.setenv('VASA_CACHE', str(tmp_path / 'a'))
  assert cache_folder() == tmp_path / 'a' / 'compiled'
  monkeypatch.delenv('VASA_CACHE')
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'b'))
  assert cache_folder() == tmp_path / 'b' / 'vasa_jax' / 'compiled'


def test_made_private(monkeypatch, tmp_path, restore):
  monkeypatch.setenv('VASA_CACHE', str(tmp_path / 'a'))
  folder = enable_cache()
  assert folder is not None and folder.stat().st_mode & 0o777 == 0o700
  assert jax.config.jax_compilation_cache_dir == str(folder)


def test_a_folder_that_others_can_write_is_not_used(monkeypatch, tmp_path, restore):
  monkeypatch.setenv('VASA_CACHE', str(tmp_path))
  (tmp_path / 'compiled').mkdir()
  (tmp_path / 'compiled').chmod(0o777)
  before = jax.config.jax_compilation_cache_dir
  assert enable_cache() is None
  assert jax.config.jax_compilation_cache_dir == before


def test_no_cache_is_no_error(monkeypatch, tmp_path, restore):
  (tmp_path / 'file').write_text('')
  monkeypatch.setenv('VASA_CACHE', str(tmp_path / 'file'))
  assert enable_cache() is None
