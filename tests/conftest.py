"""All tests: the CPU as four devices, cheap compilation, a cache outside the tree.

The environment is set before anything imports jax.
"""

import getpass
import os
import tempfile
from pathlib import Path

DEVICES = 4
os.environ['JAX_PLATFORMS'] = 'cpu'
# Older emitters compile these tests in three quarters of the time (0.10 and 0.11; later
# ones do not know the option, and pass over it).
os.environ['XLA_FLAGS'] = (
  f'{os.environ.get("XLA_FLAGS", "")} --xla_force_host_platform_device_count={DEVICES} '
  '--xla_backend_extra_options=xla_cpu_disable_new_fusion_emitters'
).strip()

import jax  # noqa: E402


def _cache_folder() -> str | None:
  """A folder of this user alone: who can write it can run code in our process."""
  folder = Path(tempfile.gettempdir()) / f'vasa_jax_tests_{getpass.getuser()}'
  try:
    folder.mkdir(mode=0o700, exist_ok=True)
  except OSError:
    return None
  status = folder.stat()
  private = status.st_uid == os.getuid() and not status.st_mode & 0o077
  return str(folder) if private else None


# Nearly all the time of these tests is single-threaded compilation (measured: 34 s with
# this switch for what takes 67 s without, 13 s with a warm cache).
jax.config.update('jax_disable_most_optimizations', True)
if folder := _cache_folder():
  jax.config.update('jax_compilation_cache_dir', folder)
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.0)
  jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)
