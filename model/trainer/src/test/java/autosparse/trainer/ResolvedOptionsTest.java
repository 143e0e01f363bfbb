package autosparse.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import autosparse.schedule.InputException;
import autosparse.trainer.run.RunFolder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ResolvedOptionsTest {
  private static final Path OUT = Path.of("runs", "x");

  @TempDir Path folder;

  private static CommandLine parse(String... args) {
    CommandLine commandLine = Main.configure(new CommandLine(new TrainCommand()));
    commandLine.parseArgs(args);
    return commandLine;
  }

  private Map<String, Object> stored(String... args) {
    Path run = folder.resolve("run");
    Map<String, Object> resolved = ResolvedOptions.of(parse(args).getCommandSpec());
    try (RunFolder opened = RunFolder.open(run, RunFolder.Mode.NEW)) {
      opened.writeConfig(resolved);
    }
    return RunFolder.readConfig(run);
  }

  @Test
  void aRunResumesWithTheOptionsItWasStartedWith() {
    String[] first = {
      "--out=runs/x",
      "--data=/d",
      "--matrices=/m",
      "--op=spmm,sddmm",
      "--split=base",
      "--held-out=a,b",
      "--model=waco-wide",
      "--memory-budget=6g",
      "--lr=1e-3"
    };
    Map<String, Object> config = stored(first);
    List<String> resumed =
        ResolvedOptions.merge(
            parse("--out=runs/x", "--resume", "--keep-checkpoints=7", "--model=waco-wide")
                .getParseResult(),
            config,
            OUT);
    Map<String, Object> merged =
        ResolvedOptions.of(parse(resumed.toArray(String[]::new)).getCommandSpec());
    assertEquals(7, merged.get("keep-checkpoints"));
    assertEquals(List.of("spmm", "sddmm"), merged.get("op"));
    assertEquals(List.of("a", "b"), merged.get("held-out"));
    assertEquals("6g", merged.get("memory-budget"));
    assertEquals(1e-3, merged.get("lr"));
    merged.put("keep-checkpoints", config.get("keep-checkpoints"));
    assertEquals(config.toString(), merged.toString());
  }

  @Test
  void whatTheWeightsDependOnCannotChange() {
    Map<String, Object> config = stored("--out=runs/x", "--data=/d", "--matrices=/m");
    InputException refused =
        assertThrows(
            InputException.class,
            () ->
                ResolvedOptions.merge(
                    parse("--out=runs/x", "--resume", "--seed=2").getParseResult(), config, OUT));
    assertTrue(
        refused.getMessage().startsWith("--seed 2: the run in runs/x was started with 1;"),
        refused.getMessage());
  }

  @Test
  void aCommandOnARunTakesFromItWhatIsNotGiven() {
    Map<String, Object> config =
        stored("--out=runs/x", "--data=/d", "--matrices=/m", "--split=base", "--held-out=a,b");
    List<String> completed =
        ResolvedOptions.complete(
            parse("--out=runs/x", "--data=/other").getParseResult(),
            config,
            List.of("data", "split", "held-out", "seed"));
    assertEquals(List.of("--data=/other", "--split=base", "--held-out=a,b", "--seed=1"), completed);
  }
}
