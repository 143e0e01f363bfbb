package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.schedule.Op;
import autosparse.trainer.Converters.ByteSize;
import autosparse.trainer.Converters.ByteSizeConverter;
import autosparse.trainer.options.HeadSize;
import autosparse.trainer.options.ModelOptions;
import autosparse.trainer.options.ProfileOptions;
import autosparse.trainer.options.Switch;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code memory-profile}: what a training step on each matrix takes, before it is run. */
@Command(
    name = "memory-profile",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    sortOptions = false,
    description = {
      "Say what memory a training step on each matrix takes, before it runs.",
      "The peak with everything kept, the smallest budget that works, and how a step is run within",
      "each of --budgets.",
      "",
      "Nothing is computed: the step runs on a device that places tensors and holds none, so a GPU",
      "can be planned for that is not here (--gpu). --measure runs the steps too and compares,",
      "to the byte. The defaults are those of train. Edges of bins are the data's: planned is the",
      "widest first layer that --feature-bins allows.",
      "Writes index.html, profile.csv, and for each matrix a pickle for PyTorch's memory_viz and a",
      "trace for Perfetto."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  java -jar target/trainer.jar memory-profile --matrices set/matrices --gpu h200 \\",
      "    --channels 128 --budgets 24g,8g,1g --out memory"
    })
final class MemoryProfileCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Option(
      names = "--matrices",
      paramLabel = "DIR",
      description = {
        "Folder of matrices: NAME.csr, NAME.mtx or NAME.mtx.gz, the first of",
        "these where a name has several, as train takes it."
      })
  private Path matrices;

  @Option(
      names = "--generate",
      paramLabel = "KIND:N",
      split = ",",
      converter = Converters.GeneratedConverter.class,
      description = {
        "Matrices to make for the profile besides: band, rmat or uniform",
        "with about N nonzeros, e.g. band:1000000,rmat:10000000. R-MAT draws",
        "N places; those that coincide are one nonzero. Named after what it has."
      })
  private List<ProfileOptions.Generated> generated = List.of();

  @Option(
      names = "--op",
      paramLabel = "OP",
      defaultValue = "spmm",
      converter = Converters.OpConverter.class,
      description = "Whose schedules a step ranks: spmm (default), spmv or sddmm.")
  private Op op;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      defaultValue = "autosparse",
      description = "autosparse, autosparse-last, waco or waco-wide (default: autosparse).")
  private ModelKind model;

  @Option(
      names = "--channels",
      paramLabel = "C",
      defaultValue = "32",
      description = "Channels of the convolutions (default: ${DEFAULT-VALUE}).")
  private int channels;

  @Option(
      names = "--work-features",
      paramLabel = "on|off",
      defaultValue = "on",
      description = {
        "As in train (default: ${DEFAULT-VALUE}); for a large matrix they",
        "take long to count, and a step's memory is nearly the same without."
      })
  private Switch workFeatures;

  @Option(
      names = "--feature-bins",
      paramLabel = "N",
      defaultValue = "16",
      description = "As in train; 0 for none (default: ${DEFAULT-VALUE}).")
  private int featureBins;

  @Option(
      names = "--head",
      paramLabel = "SIZE",
      defaultValue = "compact",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private HeadSize head;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Schedules of a step (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--budgets",
      paramLabel = "SIZE",
      split = ",",
      defaultValue = "24g,8g,2g,1g",
      converter = ByteSizeConverter.class,
      description = "Budgets to find a way for, e.g. 24g,512m (default: ${DEFAULT-VALUE}).")
  private List<ByteSize> budgets;

  @Option(
      names = "--strategies",
      paramLabel = "NAME",
      split = ",",
      defaultValue = "keep-all",
      description = {
        "Ways to run a step to show besides, whatever the budget: keep-all,",
        "checkpoints and strips; the latter two as within half of the first",
        "(default: ${DEFAULT-VALUE})."
      })
  private List<ProfileOptions.Way> strategies;

  @Option(
      names = "--gpu",
      paramLabel = "NAME",
      defaultValue = "",
      description = "Plan for a GPU that need not be here: h200, h100, a100 or t4.")
  private String gpu;

  @Option(
      names = "--measure",
      description = {
        "Run the steps too, on the device; exit code 1 where a measured peak",
        "is not the planned one."
      })
  private boolean measure;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = {
        "Folder for the results; made if missing, when all matrices are done.",
        "A second matrix of one name is called NAME-2."
      })
  private Path out;

  @Mixin private DeviceArguments device;

  @Override
  public Integer call() {
    ModelOptions network =
        new ModelOptions(
            model,
            channels,
            1,
            ModelConfig.FeatureAt.TOKEN,
            ModelConfig.TokenForm.NORMALIZED,
            true,
            workFeatures == Switch.ON,
            featureBins,
            head);
    List<ProfileOptions.Budget> sizes =
        budgets.stream()
            .filter(size -> size.bytes() > 0)
            .map(size -> new ProfileOptions.Budget(size.text(), size.bytes()))
            .toList();
    return new Profiling(
            new ProfileOptions(
                Optional.ofNullable(matrices),
                generated,
                op,
                network,
                batch,
                sizes,
                strategies,
                gpu,
                measure,
                out,
                device.toOptions()),
            main)
        .run();
  }
}
