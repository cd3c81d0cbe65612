"""A command line in two parts: ours, and after `--` what Apache Beam is told."""

from data_pipelines.errors import UsageError, UserError

BUCKETS = ('gs', 's3')  # what Beam, and etils for the catalogue, both open


def parted(arguments: list[str]) -> tuple[list[str], list[str]]:
  """Arguments before and after the first `--`."""
  at = arguments.index('--') if '--' in arguments else len(arguments)
  return arguments[:at], arguments[at + 1 :]


def check_address(out: str) -> None:
  """Raises UsageError for an address that cannot be written from start to end."""
  scheme, parts, _ = out.partition('://')
  if parts and scheme not in BUCKETS:
    raise UsageError(
      f'--out {out}: gs:// and s3:// are known, and folders that every machine has '
      'mounted under the same name'
    )


def options_of(arguments: list[str]):
  """`PipelineOptions` of Beam's own arguments.

  Raises:
    UserError: Apache Beam is not installed.
  """
  try:
    from apache_beam.options.pipeline_options import PipelineOptions
  except ImportError as error:
    raise UserError("Apache Beam is not installed: pip install '.[beam]'") from error
  return PipelineOptions(arguments)
