package autosparse.trainer;

import autosparse.costmodel.ModelStatistics;
import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.checkpoint.WacoWeights;
import autosparse.costmodel.network.CostModel;
import autosparse.engine.HostDevice;
import autosparse.schedule.InputException;
import autosparse.schedule.Split;
import autosparse.trainer.options.ImportOptions;
import autosparse.trainer.run.Environment;
import autosparse.trainer.run.RunFolder;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/**
 * The work of {@code import}: the run folder has the weights as its checkpoint of step 0. Nothing
 * is written before the file has been read and found right.
 */
final class Importing {
  /** For weights of some megabytes; they only pass through. */
  private static final long CAPACITY = 256L << 20;

  private final ImportOptions options;
  private final RunFolder.Mode mode;
  private final Map<String, Object> resolved;
  private final Main main;

  Importing(ImportOptions options, RunFolder.Mode mode, Map<String, Object> resolved, Main main) {
    this.options = options;
    this.mode = mode;
    // Nothing of any data was held out from this model: evaluate judges it on all.
    this.resolved = new LinkedHashMap<>(resolved);
    this.resolved.put("split", Split.Kind.NONE.id());
    this.main = main;
  }

  int run() {
    RunFolder.check(options.out(), mode);
    HostDevice.Options host = new HostDevice.Options(CAPACITY, 1, false);
    try (HostDevice device = HostDevice.cpu(host)) {
      ModelFile.Loaded loaded =
          WacoWeights.read(options.weights(), options.op(), options.shape(), device.root());
      try (CostModel model = loaded.model()) {
        write(model, loaded.statistics(), environment(model));
      }
    }
    return 0;
  }

  private void write(CostModel model, ModelStatistics statistics, Environment environment) {
    try (RunFolder folder = RunFolder.open(options.out(), mode)) {
      folder.writeConfig(resolved);
      folder.writeEnvironment(environment);
      folder
          .checkpoints()
          .save(
              0,
              ModelFile.metadata(model.config(), statistics),
              ModelFile.stored(model.parameters().stateDict()),
              JsonNodeFactory.instance.objectNode());
      main.print(
          String.format(
              Locale.ROOT,
              "%s: %s of %s, %d tensors, %,d parameters; shape input %s",
              options.out(),
              model.config().kind(),
              options.op().id(),
              model.parameters().byName().size(),
              model.parameters().count(),
              options.shapeMean().isEmpty()
                  ? "(0, 0, 0)"
                  : "(rows, columns, nnz) less "
                      + options.shapeMean()
                      + " over "
                      + options.shapeDeviation()));
    }
  }

  private Environment environment(CostModel model) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("weights_sha256", sha256());
    facts.put("parameters", String.valueOf(model.parameters().count()));
    return Environment.of("cpu", "weights are only copied", OptionalLong.empty(), facts);
  }

  private String sha256() {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(options.weights())));
    } catch (IOException e) {
      throw new InputException(
          "cannot read " + options.weights() + ": " + FileWriteException.reason(e), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
