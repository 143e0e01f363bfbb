package autosparse.engine.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files as Linux writes them, under a folder instead of the root. */
class SystemMemoryTest {
  private static final long MIB = 1L << 20;

  @TempDir Path root;

  private void file(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void machine(String cgroup) throws IOException {
    file(
        "proc/meminfo",
        "MemTotal:       24676000 kB\nMemFree:         1000000 kB\nMemAvailable:    8388608 kB\n");
    file("proc/self/status", "Name:\tjava\nVmHWM:\t  409600 kB\nVmRSS:\t  102400 kB\n");
    file("proc/self/cgroup", cgroup);
  }

  private SystemMemory memory() {
    return SystemMemory.in(root);
  }

  private static OptionalLong mebibytes(long count) {
    return OptionalLong.of(count * MIB);
  }

  @Test
  void withoutLimitsAProcessCanHaveWhatIsAvailable() throws IOException {
    machine("0::/user.slice/session-1.scope\n");
    file("sys/fs/cgroup/user.slice/memory.max", "max\n");
    file("sys/fs/cgroup/user.slice/memory.current", "123456\n");
    assertEquals(OptionalLong.of(24676000L << 10), memory().totalBytes());
    assertEquals(mebibytes(8192), memory().availableBytes());
    assertEquals(mebibytes(100), memory().residentBytes());
    assertEquals(mebibytes(400), memory().peakResidentBytes());
    assertEquals(OptionalLong.empty(), memory().leftInControlGroups());
    assertEquals(8292 * MIB, memory().mostBytes());
  }

  /** The group around the own one is the narrower: its file cache is not counted as used. */
  @Test
  void versionTwoLimitsHoldFromTheOwnGroupUpwards() throws IOException {
    machine("0::/jobs/7\n");
    file("sys/fs/cgroup/jobs/7/memory.max", 3000 * MIB + "\n");
    file("sys/fs/cgroup/jobs/7/memory.current", 200 * MIB + "\n");
    file("sys/fs/cgroup/jobs/memory.max", 4000 * MIB + "\n");
    file("sys/fs/cgroup/jobs/memory.current", 3500 * MIB + "\n");
    file(
        "sys/fs/cgroup/jobs/memory.stat",
        "anon 1\nactive_file 9\ninactive_file " + 1500 * MIB + "\nslab 3\n");
    assertEquals(mebibytes(2000), memory().leftInControlGroups());
    assertEquals(2100 * MIB, memory().mostBytes());
  }

  /** In a container the group is named as outside, and mounted as the root. */
  @Test
  void versionOneLimitsAreReadInsideAContainerToo() throws IOException {
    machine("9:cpu,cpuacct:/docker/ab12\n4:memory:/docker/ab12\n0::/\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", 1000 * MIB + "\n");
    file("sys/fs/cgroup/memory/memory.usage_in_bytes", 600 * MIB + "\n");
    file(
        "sys/fs/cgroup/memory/memory.stat",
        "inactive_file 5\ntotal_inactive_file " + 100 * MIB + "\n");
    assertEquals(mebibytes(500), memory().leftInControlGroups());
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assertEquals(OptionalLong.empty(), memory().leftInControlGroups());
  }

  @Test
  void aGroupThatIsFullLeavesNothing() throws IOException {
    machine("0::/../elsewhere\n");
    file("sys/fs/cgroup/memory.max", 100 * MIB + "\n");
    file("sys/fs/cgroup/memory.current", 120 * MIB + "\n");
    assertEquals(mebibytes(0), memory().leftInControlGroups());
    assertEquals(100 * MIB, memory().mostBytes(), "what it has");
  }

  @Test
  void aSystemThatSaysNothingSetsNoLimit() {
    assertEquals(OptionalLong.empty(), memory().availableBytes());
    assertEquals(Long.MAX_VALUE, memory().mostBytes());
  }

  @Test
  void thisMachineIsRead() {
    SystemMemory here = SystemMemory.ofThisMachine();
    long resident = here.residentBytes().orElseThrow();
    assertTrue(resident > MIB && resident <= here.peakResidentBytes().orElseThrow(), "" + resident);
    assertTrue(here.mostBytes() <= here.totalBytes().orElseThrow() + resident);
  }
}
