package autosparse.tuner.measure;

import autosparse.schedule.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A C compiler that is there.
 *
 * @param executable absolute path
 * @param version first line of what {@code --version} prints
 * @param target what {@code -dumpmachine} prints
 */
public record Toolchain(Path executable, String version, String target) {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /**
   * Finds a compiler and asks for its version.
   *
   * @param cc a name to find on the PATH, or a path
   * @throws InputException if there is none or it does not answer
   */
  public static Toolchain find(String cc) {
    Path executable =
        locate(cc)
            .orElseThrow(
                () ->
                    new InputException(
                        "C compiler "
                            + InputException.quote(cc)
                            + " not found, expected "
                            + (cc.contains("/") ? "an executable file" : "one on the PATH")
                            + " (install gcc, or name another with --cc)"));
    return new Toolchain(executable, ask(executable, "--version"), ask(executable, "-dumpmachine"));
  }

  private static Optional<Path> locate(String cc) {
    if (cc.contains("/")) {
      return Optional.of(Path.of(cc).toAbsolutePath()).filter(Toolchain::isProgram);
    }
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    for (String folder : path.split(":", -1)) {
      Path candidate = Path.of(folder, cc).toAbsolutePath();
      if (!folder.isEmpty() && isProgram(candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  private static boolean isProgram(Path file) {
    return Files.isRegularFile(file) && Files.isExecutable(file);
  }

  private static String ask(Path executable, String question) {
    ChildProcess.Result answer;
    try {
      answer =
          ChildProcess.run(
              List.of(executable.toString(), question), PATIENCE, Map.of("LC_ALL", "C"));
    } catch (IOException e) {
      throw new InputException("C compiler " + executable + ": " + e.getMessage(), e);
    }
    Optional<String> line = answer.output().lines().findFirst().filter(text -> !text.isBlank());
    if (answer.timedOut() || answer.exitCode() != 0 || line.isEmpty()) {
      throw new InputException(
          "C compiler "
              + executable
              + " "
              + question
              + ": "
              + (answer.timedOut() ? "no answer in " + PATIENCE.toSeconds() + " s" : answer.brief())
              + ", expected its version");
    }
    return line.get().strip();
  }
}
