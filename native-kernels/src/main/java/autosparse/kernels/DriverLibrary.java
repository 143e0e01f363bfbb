package autosparse.kernels;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds CUDA's libraries where the dynamic linker would, without loading them. */
final class DriverLibrary {
  static final String NAME = "libcuda.so.1";

  private static final Path LINKER_CACHE = Path.of("/etc/ld.so.cache");

  /** Where the linker looks by itself, and where containers, WSL and toolkits put CUDA. */
  private static final List<String> USUAL =
      List.of(
          "/usr/lib/x86_64-linux-gnu",
          "/lib/x86_64-linux-gnu",
          "/usr/lib64",
          "/lib64",
          "/usr/lib",
          "/lib",
          "/usr/lib/wsl/lib",
          "/usr/local/cuda/lib64",
          "/usr/local/cuda/targets/x86_64-linux/lib");

  private DriverLibrary() {}

  /** Path of the driver's library. */
  static Optional<String> find() {
    return find(NAME);
  }

  /** Path of a library by its name, such as {@code libcublas.so.12}. */
  static Optional<String> find(String name) {
    List<Path> directories = new ArrayList<>(directories(System.getenv("LD_LIBRARY_PATH")));
    USUAL.forEach(directory -> directories.add(Path.of(directory)));
    return find(name, directories, LINKER_CACHE);
  }

  static Optional<String> find(String name, List<Path> directories, Path linkerCache) {
    for (Path directory : directories) {
      Path library = directory.resolve(name);
      if (Files.exists(library)) {
        return Optional.of(library.toString());
      }
    }
    return fromCache(name, linkerCache);
  }

  /** The cache holds the libraries' paths as strings that end in a zero byte. */
  private static Optional<String> fromCache(String name, Path cache) {
    String content;
    try {
      content = new String(Files.readAllBytes(cache), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return Optional.empty(); // no cache, or none for us: the linker goes without it too
    }
    int at = content.indexOf("/" + name + "\0");
    if (at < 0) {
      return Optional.empty();
    }
    String path = content.substring(content.lastIndexOf('\0', at) + 1, at) + "/" + name;
    return Files.exists(Path.of(path)) ? Optional.of(path) : Optional.empty();
  }

  /** Directories of a search path; an empty entry is left out. */
  static List<Path> directories(String searchPath) {
    List<Path> directories = new ArrayList<>();
    if (searchPath != null) {
      for (String entry : searchPath.split(File.pathSeparator, -1)) {
        if (!entry.isEmpty()) {
          directories.add(Path.of(entry));
        }
      }
    }
    return directories;
  }
}
