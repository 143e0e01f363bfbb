package autosparse.tuner.measure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Compiled files by a hash of all that they depend on. Many processes may share the folder: a file
 * appears whole, in one step, or not at all.
 */
final class CompileCache {
  /** Changes with whatever else changes the files, so that versions of the product can share. */
  private static final String VERSION = "compiled-1";

  private final Path folder;
  private final List<String> machine;

  CompileCache(Path folder, Toolchain toolchain) {
    this.folder = folder.resolve(VERSION);
    this.machine =
        List.of(
            toolchain.executable().toString(),
            toolchain.version(),
            toolchain.target(),
            Machine.cpuModel(),
            Machine.cpuFeatures(),
            RuntimeSources.text(RuntimeSources.ABI));
  }

  /** The name of what a compiler makes of a source: SHA-256 in hexadecimal digits. */
  String key(List<String> flags, String name, String code) {
    List<String> parts = new ArrayList<>(machine);
    parts.addAll(flags);
    parts.add(name);
    parts.add(code);
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (String part : parts) {
        byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
        // With its length, so that no two lists of parts read alike.
        digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
        digest.update(bytes);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Where the file of a key is or would be. */
  Path path(String key) {
    return folder.resolve(key.substring(0, 2)).resolve(key);
  }

  /** The file of a key, if there is one. */
  Optional<Path> find(String key) {
    return Optional.of(path(key)).filter(Files::isRegularFile);
  }

  /** Copies a file into the cache, under several names. */
  void keep(Path file, List<String> keys) throws IOException {
    // Names are linked to a copy of our own: one that is in the cache may be forgotten meanwhile.
    Path copy = unfinished(path(keys.get(0)));
    try {
      Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
      for (String key : keys) {
        Path making = unfinished(path(key));
        try {
          link(making, copy);
          Files.move(making, path(key), StandardCopyOption.ATOMIC_MOVE);
        } finally {
          Files.deleteIfExists(making);
        }
      }
    } catch (IOException e) {
      throw new IOException("cannot keep " + file + " in " + folder + ": " + e.getMessage(), e);
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  /** A name beside a file's, in a folder that is there, for what is not yet whole. */
  private static Path unfinished(Path target) throws IOException {
    Files.createDirectories(target.getParent());
    return target.resolveSibling(target.getFileName() + "." + UUID.randomUUID());
  }

  /** A second name for a file, or a copy where the file system has no second names. */
  private static void link(Path name, Path file) throws IOException {
    try {
      Files.createLink(name, file);
    } catch (UnsupportedOperationException e) {
      Files.copy(file, name, StandardCopyOption.COPY_ATTRIBUTES);
    }
  }
}
