package autosparse.trainer.run;

import autosparse.trainer.BuildInfo;
import autosparse.trainer.doctor.HostMachine;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What a run's figures depend on besides its options, written to {@code env.json} and the report.
 *
 * @param facts by name, in the order to show them
 */
public record Environment(Map<String, Object> facts) {
  /** Copies the facts, keeping their order. */
  public Environment {
    facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
  }

  /**
   * The environment of a run that starts now.
   *
   * @param device the device chosen, e.g. {@code cpu}
   * @param why why that one, e.g. {@code auto: no NVIDIA driver}
   * @param seed of every random number of the run, if it draws any
   * @param libraries versions of libraries and drivers, by name
   */
  public static Environment of(
      String device, String why, OptionalLong seed, Map<String, String> libraries) {
    HostMachine host = HostMachine.detect();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("started", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    facts.put("version", BuildInfo.version());
    facts.put("commit", BuildInfo.commit());
    facts.put("device", device);
    facts.put("device_reason", why);
    seed.ifPresent(value -> facts.put("seed", value));
    facts.put("cpu", host.cpu());
    facts.put("cores", host.cores());
    facts.put("memory_bytes", host.memoryBytes());
    facts.put("os", host.os());
    facts.put("jdk", host.jdk());
    facts.put("heap_bytes", Runtime.getRuntime().maxMemory());
    facts.putAll(libraries);
    return new Environment(facts);
  }
}
