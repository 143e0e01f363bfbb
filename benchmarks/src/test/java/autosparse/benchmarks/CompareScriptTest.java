package autosparse.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.annotations.Param;

/** The PyTorch script compiles, knows our rows, and says what it lacks. */
final class CompareScriptTest {
  private static final Path SCRIPT = Path.of("pytorch/compare.py");

  /** Rows that PyTorch as one would write it plainly has no counterpart of. */
  private static final String OURS_ALONE = " matrices x ";

  @TempDir private Path folder;

  private record Ended(int code, String output) {}

  /** Runs Python; the test is skipped where there is none. */
  private Ended python(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("python3"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("PYTHONPYCACHEPREFIX", folder.toString());
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      return abort("python3 is not there: " + e.getMessage());
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), output.strip());
  }

  @Test
  void compiles() throws IOException, InterruptedException {
    assertEquals(new Ended(0, ""), python("-m", "py_compile", SCRIPT.toString()));
  }

  @Test
  void hasOurRows() throws IOException, NoSuchFieldException {
    String text = Files.readString(SCRIPT);
    String list = text.substring(text.indexOf("ROWS = ["), text.indexOf("]\n"));
    List<String> rows = new ArrayList<>();
    Matcher quoted = Pattern.compile("\"([^\"]+)\"").matcher(list);
    while (quoted.find()) {
      rows.add(quoted.group(1));
    }
    Param ours = TargetBenchmark.class.getField("row").getAnnotation(Param.class);
    assertEquals(
        Arrays.stream(ours.value()).filter(row -> !row.contains(OURS_ALONE)).toList(), rows);
  }

  @Test
  void saysInOneLineWhatItLacks() throws IOException, InterruptedException {
    Ended neither = python(SCRIPT.toString());
    assertEquals(2, neither.code(), neither.output());
    assertTrue(neither.output().endsWith("give either --ours FILE or --only-pytorch"));
    Path empty = Files.writeString(folder.resolve("ours.json"), "[]");
    Ended noResult = python(SCRIPT.toString(), "--ours", empty.toString());
    assertEquals(1, noResult.code(), noResult.output());
    assertEquals(empty + ": no result of TargetBenchmark in it", noResult.output());
  }
}
