package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs the program inside the test and keeps what it printed. */
final class Program {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  /** Runs a command; afterwards nothing of it is left, not even a shutdown hook. */
  int run(List<String> arguments) {
    out.reset();
    err.reset();
    Main main =
        new Main(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    int code = main.run(arguments.toArray(String[]::new));
    main.interrupts().finish(code);
    return code;
  }

  void succeed(List<String> arguments) {
    assertEquals(0, run(arguments), err());
  }

  /** The command must end with exit code 2 and one line that has all the parts. */
  void refuse(List<String> arguments, String... parts) {
    assertEquals(2, run(arguments), out() + err());
    assertEquals(1, err().lines().count(), err());
    assertTrue(err().startsWith("error: "), err());
    for (String part : parts) {
      assertTrue(err().contains(part), () -> "no '" + part + "' in " + err());
    }
  }

  String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  /** The same program as a process of its own. */
  static List<String> commandLine(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx512m", "--enable-native-access=ALL-UNNAMED", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(arguments);
    return command;
  }

  static List<String> join(List<String> first, String... rest) {
    List<String> all = new ArrayList<>(first);
    all.addAll(List.of(rest));
    return all;
  }
}
