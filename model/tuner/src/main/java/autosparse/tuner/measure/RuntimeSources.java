package autosparse.tuner.measure;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The C sources that the product brings along. */
final class RuntimeSources {
  /** What kernels and runner agree on. */
  static final String ABI = "kernel_abi.h";

  /** The program that calls kernels: what is compiled, and what that includes. */
  static final List<String> RUNNER = List.of("runner.c", "runner_data.c", "runner.h", ABI);

  private RuntimeSources() {}

  /** The text of a source. */
  static String text(String name) {
    String resource = "/autosparse/tuner/runtime/" + name;
    try (InputStream stream = RuntimeSources.class.getResourceAsStream(resource)) {
      if (stream == null) {
        throw new IllegalStateException("the program lacks its own source " + resource);
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a source into a folder. */
  static void write(String name, Path folder) throws IOException {
    Files.writeString(folder.resolve(name), text(name));
  }
}
