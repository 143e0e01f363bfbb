package autosparse.engine.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The machine's memory and this process' share of it, as Linux tells them: {@code /proc} and the
 * limits of the control groups (version 1 or 2) that the process is in.
 */
public final class SystemMemory {
  private static final String UNLIMITED = "max";

  /** Version 1 writes a limit that is none as the largest number of whole pages, about 2^63. */
  private static final long NO_LIMIT = 1L << 60;

  private final Path root;

  private SystemMemory(Path root) {
    this.root = root;
  }

  /** This machine. */
  public static SystemMemory ofThisMachine() {
    return new SystemMemory(Path.of("/"));
  }

  /**
   * A machine whose {@code proc} and {@code sys} lie in a folder.
   *
   * @param root instead of {@code /}
   */
  static SystemMemory in(Path root) {
    return new SystemMemory(root);
  }

  /** Memory of the whole machine in bytes; empty where the system does not say. */
  public OptionalLong totalBytes() {
    return kilobytes("proc/meminfo", "MemTotal");
  }

  /** Memory that programs may take besides, without swapping, in bytes, control groups aside. */
  public OptionalLong availableBytes() {
    return kilobytes("proc/meminfo", "MemAvailable");
  }

  /** Memory of this process that is resident now, in bytes. */
  public OptionalLong residentBytes() {
    return kilobytes("proc/self/status", "VmRSS");
  }

  /**
   * The most memory this process has had resident, in bytes; empty where the system keeps no count.
   */
  public OptionalLong peakResidentBytes() {
    return kilobytes("proc/self/status", "VmHWM");
  }

  /**
   * The least that the control groups of this process, and those around them, still leave, in
   * bytes: limit less use, file cache that can be dropped not counted as used. Empty where none of
   * them has a limit.
   */
  public OptionalLong leftInControlGroups() {
    long least = Long.MAX_VALUE;
    for (String line : lines("proc/self/cgroup")) {
      String[] parts = line.split(":", 3); // number, controllers, path
      if (parts.length == 3 && parts[0].equals("0") && parts[1].isEmpty()) {
        least = Math.min(least, left("sys/fs/cgroup", parts[2], Version.TWO));
      } else if (parts.length == 3 && List.of(parts[1].split(",", -1)).contains("memory")) {
        least = Math.min(least, left("sys/fs/cgroup/memory", parts[2], Version.ONE));
      }
    }
    return least == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(least);
  }

  /** The names of a control group's files. */
  private enum Version {
    ONE("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    TWO("memory.max", "memory.current", "inactive_file");

    final String limit;
    final String usage;
    final String cache;

    Version(String limit, String usage, String cache) {
      this.limit = limit;
      this.usage = usage;
      this.cache = cache;
    }
  }

  /** From a group up to the mounted root; inside a container the group's own path is not there. */
  private long left(String mount, String group, Version version) {
    Path top = root.resolve(mount);
    Path own = top.resolve(group.replaceFirst("^/+", "")).normalize();
    long least = Long.MAX_VALUE;
    for (Path at = own.startsWith(top) ? own : top; at.startsWith(top); at = at.getParent()) {
      OptionalLong limit = number(at.resolve(version.limit));
      OptionalLong usage = number(at.resolve(version.usage));
      if (limit.isPresent() && usage.isPresent() && limit.getAsLong() < NO_LIMIT) {
        long used = Math.max(0, usage.getAsLong() - cache(at, version));
        least = Math.min(least, Math.max(0, limit.getAsLong() - used));
      }
    }
    return least;
  }

  private long cache(Path group, Version version) {
    for (String line : lines(group.resolve("memory.stat"))) {
      String[] parts = line.split(" ", 2);
      if (parts[0].equals(version.cache)) {
        return Long.parseLong(parts[1].strip());
      }
    }
    return 0;
  }

  /**
   * What this process can have of the machine's memory in all, in bytes: what it has, and what is
   * available or its control groups leave, whichever is lower. Without a limit where the system
   * does not say.
   */
  public long mostBytes() {
    long free =
        Math.min(
            availableBytes().orElse(Long.MAX_VALUE), leftInControlGroups().orElse(Long.MAX_VALUE));
    return free == Long.MAX_VALUE ? free : free + residentBytes().orElse(0);
  }

  private OptionalLong number(Path file) {
    List<String> lines = lines(file);
    return lines.isEmpty() || lines.get(0).strip().equals(UNLIMITED)
        ? OptionalLong.empty()
        : OptionalLong.of(Long.parseLong(lines.get(0).strip()));
  }

  private OptionalLong kilobytes(String file, String key) {
    for (String line : lines(file)) {
      if (line.startsWith(key + ":")) {
        return OptionalLong.of(Long.parseLong(line.replaceAll("\\D", "")) << 10);
      }
    }
    return OptionalLong.empty();
  }

  private List<String> lines(String file) {
    return lines(root.resolve(file));
  }

  /** Empty where there is no such file: not every system, and no version, has all of them. */
  private static List<String> lines(Path file) {
    if (!Files.isReadable(file)) {
      return List.of();
    }
    List<String> lines = new ArrayList<>();
    try (Stream<String> all = Files.lines(file)) {
      all.forEach(lines::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return lines;
  }
}
