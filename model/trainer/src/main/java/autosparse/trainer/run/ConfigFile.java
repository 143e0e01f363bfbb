package autosparse.trainer.run;

import autosparse.costmodel.checkpoint.AtomicFiles;
import autosparse.costmodel.checkpoint.FileWriteException;
import autosparse.schedule.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** {@code config.yaml}: every option of a run with the value it had, defaults included. */
public final class ConfigFile {
  private static final String HEADER =
      "# The options of this run, as resolved; `train --resume` and `evaluate` read them back.\n";

  private ConfigFile() {}

  /** Writes options in their order; values are strings, numbers, booleans or lists of them. */
  public static void write(Path file, Map<String, Object> options) {
    Dump dump =
        new Dump(
            DumpSettings.builder()
                .setDefaultFlowStyle(FlowStyle.BLOCK)
                .setWidth(Integer.MAX_VALUE)
                .build());
    AtomicFiles.writeText(file, HEADER + dump.dumpToString(options));
  }

  /**
   * Reads options back.
   *
   * @throws InputException if the file is missing or is no map of options
   */
  public static Map<String, Object> read(Path file) {
    Object root;
    try {
      root = new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new InputException(file + ": missing: the folder holds no run to resume", e);
    } catch (IOException e) {
      throw new InputException("cannot read " + file + ": " + FileWriteException.reason(e), e);
    } catch (MarkedYamlEngineException e) {
      long line = e.getProblemMark().map(mark -> mark.getLine() + 1L).orElse(0L);
      throw new InputException(file + ":" + line + ": not valid YAML: " + e.getProblem(), e);
    } catch (YamlEngineException e) {
      throw new InputException(file + ": not valid YAML", e);
    }
    if (!(root instanceof Map<?, ?> map)) {
      throw new InputException(file + ": expected options, one `name: value` per line");
    }
    Map<String, Object> options = new LinkedHashMap<>();
    map.forEach((key, value) -> options.put(String.valueOf(key), value));
    return options;
  }
}
