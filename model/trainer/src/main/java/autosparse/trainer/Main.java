package autosparse.trainer;

import autosparse.engine.memory.MemoryBudgetException;
import autosparse.schedule.InputException;
import autosparse.trainer.run.Interrupts;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/** The program: {@code java -jar target/trainer.jar <command>}. */
@Command(
    name = "trainer",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Learns which format and schedule makes a sparse matrix operator fastest.",
      "",
      "Start with `demo`: it trains on the data set that comes with the program. `doctor` shows"
          + " what",
      "this machine offers. Every command explains itself: trainer <command> --help.",
      ""
    },
    subcommands = {
      DemoCommand.class,
      TrainCommand.class,
      EvaluateCommand.class,
      SummarizeCommand.class,
      RankCommand.class,
      ImportCommand.class,
      ExportCommand.class,
      ShowCommand.class,
      GenerateCommand.class,
      CollectCommand.class,
      MemoryProfileCommand.class,
      DoctorCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed (disk full, out of memory in the middle of a run, a fault of the program)",
      "2:bad usage or input",
      "130:interrupted; what was done is saved"
    })
public final class Main {
  private static final int HELP_COLUMNS = 96;
  private static final int FAILED = 1;
  private static final int BAD_INPUT = 2;

  private final PrintStream out;
  private final PrintStream err;
  private final Interrupts interrupts;
  private final long patternBudget;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show where in the program an error came from.")
  private boolean debug;

  Main(PrintStream out, PrintStream err) {
    this(out, err, Long.MAX_VALUE);
  }

  /**
   * @param patternBudget bytes of the heap that matrices' patterns may take even where the host
   *     has more
   */
  Main(PrintStream out, PrintStream err, long patternBudget) {
    this.patternBudget = patternBudget;
    this.out = out;
    this.err = err;
    this.interrupts = new Interrupts(err);
  }

  /** Runs a command and ends the process with its exit code. */
  public static void main(String[] args) {
    Main main = new Main(System.out, System.err);
    int code = main.run(args);
    System.out.flush();
    main.interrupts.finish(code);
    System.exit(code);
  }

  /** Runs a command and returns its exit code. */
  int run(String... args) {
    CommandLine commandLine = configure(new CommandLine(this));
    commandLine.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    commandLine.setParameterExceptionHandler(
        (e, arguments) -> {
          String command = e.getCommandLine().getCommandSpec().qualifiedName();
          return report(e, BAD_INPUT, "; see `" + command + " --help`");
        });
    commandLine.setExecutionExceptionHandler((e, command, result) -> report(e));
    try {
      return args.length == 0 ? commandLine.execute("--help") : commandLine.execute(args);
    } catch (StackOverflowError | OutOfMemoryError e) {
      return report(e);
    }
  }

  /** What every command line of the program has in common. */
  static CommandLine configure(CommandLine commandLine) {
    return Converters.register(commandLine)
        .setUsageHelpWidth(HELP_COLUMNS)
        .setAbbreviatedOptionsAllowed(false);
  }

  /** Prints a line of the command's result. */
  void print(String line) {
    out.println(line);
  }

  /** Prints a line about something the user should know. */
  void warn(String line) {
    err.println("warning: " + line);
  }

  /** Where progress goes. */
  PrintStream err() {
    return err;
  }

  /** Bytes of the heap that matrices' patterns may take even where the host has more. */
  long patternBudget() {
    return patternBudget;
  }

  /** The wish to end; a command that polls it must call {@link Interrupts#arm} first. */
  Interrupts interrupts() {
    return interrupts;
  }

  private int report(Throwable failure) {
    if (failure instanceof ParameterException
        || failure instanceof InputException
        || failure instanceof MemoryBudgetException) {
      return report(failure, BAD_INPUT, "");
    }
    if (failure instanceof OutOfMemoryError
        && String.valueOf(failure.getMessage()).matches("(?i).*(heap|GC overhead|array).*")) {
      String heap = Runtime.getRuntime().maxMemory() / (1 << 20) + " MB";
      return report(failure, FAILED, " (the Java heap is " + heap + "; java -Xmx sets it)");
    }
    return report(failure, FAILED, "");
  }

  private int report(Throwable failure, int code, String hint) {
    String message = failure.getMessage();
    String text = message == null || message.isBlank() ? failure.getClass().getName() : message;
    err.println("error: " + text.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ") + hint);
    if (debug) {
      failure.printStackTrace(err);
    }
    return code;
  }

  /** What {@code --version} prints. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        "AutoSparse Net " + BuildInfo.version() + " (commit " + BuildInfo.commit() + ")",
        "JDK " + System.getProperty("java.runtime.version")
      };
    }
  }
}
