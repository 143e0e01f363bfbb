package autosparse.trainer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code demo}: the whole way on the data set that the program carries. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Train on the bundled data set, judge the model on unseen matrices, write a report.",
      "A few minutes on two cores. It is `train` with everything chosen; the command is printed."
    },
    footerHeading = "%nExample:%n",
    footer = {"  java -jar target/trainer.jar demo"})
final class DemoCommand implements Callable<Integer> {
  /** Options of {@code train} that suit some forty matrices with a few score schedules each. */
  private static final Map<String, Object> RECIPE = recipe();

  @Spec private CommandSpec spec;
  @ParentCommand private Main main;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "runs/demo",
      description = "The run's folder (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "runs/bundled-data",
      description = "Where the bundled data set is unpacked to (default: ${DEFAULT-VALUE}).")
  private Path data;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "36",
      description = "Passes over the training schedules (default: ${DEFAULT-VALUE}).")
  private int epochs;

  @Mixin private DeviceArguments device;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of every random choice (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(names = "--resume", description = "Go on with the run in --out.")
  private boolean resume;

  @Option(names = "--force", description = "Delete the run in --out and start anew.")
  private boolean force;

  private static Map<String, Object> recipe() {
    Map<String, Object> recipe = new LinkedHashMap<>();
    recipe.put("op", "spmv,spmm,sddmm");
    recipe.put("split", "base");
    recipe.put("channels", 16);
    recipe.put("matrices-per-step", 4);
    recipe.put("batch", 64);
    recipe.put("baseline-epochs", 20);
    // On this data's unseen matrices bins bring nothing, for a fifth of the time.
    recipe.put("feature-bins", 0);
    return Collections.unmodifiableMap(recipe);
  }

  @Override
  public Integer call() {
    Devices.select(device.toOptions()); // a device that is not there ends here: nothing is written
    BundledData.ofProduct().unpackTo(data);
    List<String> arguments = new ArrayList<>(trainArguments());
    if (resume) {
      arguments.add("--resume");
    }
    if (force) {
      arguments.add("--force");
    }
    arguments.add("--out=" + out);
    main.print("train " + String.join(" ", arguments));
    return TrainCommand.run(arguments, main);
  }

  /** A resumed run knows its options itself; only those given now are passed on. */
  private List<String> trainArguments() {
    Map<String, Object> chosen = new LinkedHashMap<>();
    if (!resume) {
      chosen.put("data", data);
      chosen.putAll(RECIPE);
      chosen.put("epochs", epochs);
      chosen.put("seed", seed);
    }
    return ResolvedOptions.complete(
        spec.commandLine().getParseResult(), chosen, List.copyOf(chosen.keySet()));
  }
}
