package autosparse.trainer;

import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.schedule.Split;
import autosparse.trainer.options.Switch;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The options of a command as plain values by name, for {@code config.yaml}, and back. */
final class ResolvedOptions {
  /** Not properties of the run but of one call. */
  private static final Set<String> PER_CALL =
      Set.of("out", "resume", "force", "help", "version", "debug");

  /** What may change at a resume: the weights of the steps already done do not depend on them. */
  private static final Set<String> CHANGEABLE =
      Set.of(
          "data",
          "matrices",
          "time-limit",
          "memory-budget",
          "host-memory-budget",
          "threads",
          "checkpoint-every",
          "keep-checkpoints",
          "evaluate-every",
          "baseline-epochs");

  private ResolvedOptions() {}

  /** The options that a run was started with. */
  static Map<String, Object> ofRun(Path run) {
    Map<String, Object> options = new LinkedHashMap<>(RunFolder.readConfig(run));
    // A run that does not name them was started before there were any.
    options.putIfAbsent("work-features", Switch.OFF.toString());
    options.putIfAbsent("feature-bins", 0);
    options.putIfAbsent("ema", 0);
    if (options.containsKey("seed")) {
      options.putIfAbsent("split-seed", options.get("seed"));
    }
    return options;
  }

  /** Every option of a parsed command with its value; options without one are left out. */
  static Map<String, Object> of(CommandSpec spec) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (OptionSpec option : spec.options()) {
      String name = nameOf(option);
      Object value = option.getValue();
      boolean empty = value == null || (value instanceof Collection<?> list && list.isEmpty());
      if (!PER_CALL.contains(name) && !empty) {
        values.put(name, plain(value));
      }
    }
    return values;
  }

  /**
   * The command line of a resumed run: what the run was started with, and over it what is given
   * now.
   *
   * @throws InputException if an option is given that the run cannot change any more
   */
  static List<String> merge(ParseResult given, Map<String, Object> stored, Path out) {
    Map<String, Object> merged = new LinkedHashMap<>(stored);
    for (OptionSpec option : given.matchedOptions()) {
      String name = nameOf(option);
      if (PER_CALL.contains(name)) {
        continue;
      }
      Object now = plain(option.getValue());
      String before = stored(stored, name);
      if (!CHANGEABLE.contains(name) && !text(now).equals(before)) {
        throw new InputException(
            String.format(
                "--%s %s: the run in %s was started with %s; leave it off, or start a new run",
                name, text(now), out, before));
      }
      merged.put(name, now);
    }
    List<String> arguments = new ArrayList<>();
    merged.forEach((name, value) -> arguments.add("--" + name + "=" + text(value)));
    arguments.add("--out=" + out);
    return arguments;
  }

  /**
   * The command line of a command that works on a run: what is given, and for options that are not,
   * what the run was started with.
   *
   * @param names options to take from the run
   */
  static List<String> complete(
      ParseResult given, Map<String, Object> stored, Collection<String> names) {
    Map<String, Object> completed = new LinkedHashMap<>();
    for (String name : names) {
      if (stored.containsKey(name)) {
        completed.put(name, stored.get(name));
      }
    }
    for (OptionSpec option : given.matchedOptions()) {
      if (!PER_CALL.contains(nameOf(option))) {
        completed.put(nameOf(option), plain(option.getValue()));
      }
    }
    List<String> arguments = new ArrayList<>();
    completed.forEach((name, value) -> arguments.add("--" + name + "=" + text(value)));
    return arguments;
  }

  /**
   * Checks that runs were started alike where the command line does not say otherwise.
   *
   * @param names options to compare
   * @throws InputException naming two runs, the option and both values
   */
  static void requireSame(ParseResult given, List<Path> runs, Collection<String> names) {
    Map<String, Object> first = ofRun(runs.get(0));
    for (Path run : runs) {
      Map<String, Object> other = ofRun(run);
      for (String name : names) {
        if (!given.hasMatchedOption("--" + name)
            && !stored(first, name).equals(stored(other, name))) {
          throw new InputException(
              String.format(
                  "--checkpoint: %s was started with --%s %s, %s with %s: expected runs of the same"
                      + " data and split",
                  runs.get(0), name, stored(first, name), run, stored(other, name)));
        }
      }
    }
  }

  private static String stored(Map<String, Object> options, String name) {
    return options.containsKey(name) ? text(options.get(name)) : "none";
  }

  private static String nameOf(OptionSpec option) {
    return option.longestName().substring(2);
  }

  private static Object plain(Object value) {
    if (value instanceof Collection<?> list) {
      return list.stream().map(ResolvedOptions::plain).toList();
    }
    if (value instanceof Path path) {
      return path.toAbsolutePath().normalize().toString();
    }
    if (value instanceof Op op) {
      return op.id();
    }
    if (value instanceof Split.Kind kind) {
      return kind.id();
    }
    return value instanceof Number || value instanceof Boolean ? value : value.toString();
  }

  private static String text(Object value) {
    return value instanceof Collection<?> list
        ? list.stream().map(String::valueOf).collect(Collectors.joining(","))
        : String.valueOf(value);
  }
}
