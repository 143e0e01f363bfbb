package autosparse.benchmarks;

import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * JMH's report, and which benchmarks were started: one that fails leaves no trace in JMH's results.
 */
final class RunLog {
  private final Map<String, BenchmarkParams> started = new LinkedHashMap<>();
  private final OutputFormat format;

  RunLog(PrintStream out, VerboseMode verbosity) {
    OutputFormat report = OutputFormatFactory.createFormatInstance(out, verbosity);
    format =
        (OutputFormat)
            Proxy.newProxyInstance(
                OutputFormat.class.getClassLoader(),
                new Class<?>[] {OutputFormat.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("startBenchmark")) {
                    BenchmarkParams params = (BenchmarkParams) arguments[0];
                    started.put(params.id(), params);
                  }
                  try {
                    return method.invoke(report, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
  }

  /** What JMH's runner reports to. */
  OutputFormat format() {
    return format;
  }

  /** Benchmarks that were started and are not among the results. */
  Collection<BenchmarkParams> failed(Collection<RunResult> results) {
    Map<String, BenchmarkParams> failed = new LinkedHashMap<>(started);
    results.forEach(result -> failed.remove(result.getParams().id()));
    return failed.values();
  }
}
