package autosparse.trainer;

import autosparse.costmodel.ModelConfig;
import autosparse.costmodel.ModelKind;
import autosparse.layers.RankingLoss;
import autosparse.layers.RateSchedule;
import autosparse.schedule.InputException;
import autosparse.schedule.Op;
import autosparse.schedule.Split;
import autosparse.trainer.options.GenerateOptions;
import autosparse.trainer.options.HeadSize;
import autosparse.trainer.options.PrecisionChoice;
import autosparse.trainer.options.ProfileOptions;
import autosparse.trainer.options.Switch;
import autosparse.tuner.generate.MatrixWriter;
import autosparse.tuner.generate.PatternKind;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** From the words of the command line to values. */
final class Converters {
  private static final Pattern BYTES = Pattern.compile("(\\d{1,15})([kmgt]?)(i?b)?");

  private static final Pattern GENERATED = Pattern.compile("([a-z]+):([1-9]\\d{0,9})");

  private static final Pattern SHAPE = Pattern.compile("([1-9]\\d{0,8})x([1-9]\\d{0,8})");

  private Converters() {}

  private static <T> T parse(Function<String, T> parser, String text) {
    try {
      return parser.apply(text);
    } catch (InputException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** Reads a constant by the name that it prints: {@code waco-wide}. */
  private static <E extends Enum<E>> void registerEnum(CommandLine commandLine, Class<E> type) {
    commandLine.registerConverter(
        type,
        text -> {
          for (E constant : type.getEnumConstants()) {
            if (constant.toString().equalsIgnoreCase(text)) {
              return constant;
            }
          }
          String names =
              Arrays.stream(type.getEnumConstants())
                  .map(E::toString)
                  .collect(Collectors.joining(", "));
          throw new TypeConversionException(
              "'" + InputException.quote(text) + "', expected one of " + names);
        });
  }

  /** Teaches a command line the types of this program's options. */
  static CommandLine register(CommandLine commandLine) {
    registerEnum(commandLine, ModelKind.class);
    registerEnum(commandLine, ModelConfig.FeatureAt.class);
    registerEnum(commandLine, ModelConfig.TokenForm.class);
    registerEnum(commandLine, RankingLoss.class);
    registerEnum(commandLine, RateSchedule.class);
    registerEnum(commandLine, HeadSize.class);
    registerEnum(commandLine, PrecisionChoice.class);
    registerEnum(commandLine, Switch.class);
    registerEnum(commandLine, ProfileOptions.Way.class);
    return commandLine;
  }

  static final class OpConverter implements ITypeConverter<Op> {
    @Override
    public Op convert(String text) {
      return parse(Op::parse, text);
    }
  }

  static final class SplitConverter implements ITypeConverter<Split.Kind> {
    @Override
    public Split.Kind convert(String text) {
      return parse(Split.Kind::parse, text);
    }
  }

  static final class MatrixFormatConverter implements ITypeConverter<MatrixWriter.Format> {
    @Override
    public MatrixWriter.Format convert(String text) {
      return parse(MatrixWriter.Format::parse, text);
    }
  }

  static final class ShapeConverter implements ITypeConverter<GenerateOptions.Shape> {
    @Override
    public GenerateOptions.Shape convert(String text) {
      Matcher match = SHAPE.matcher(text);
      if (!match.matches()) {
        throw new TypeConversionException(
            "'" + InputException.quote(text) + "', expected ROWSxCOLUMNS such as 16x4");
      }
      return new GenerateOptions.Shape(
          Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2)));
    }
  }

  /** Such as {@code band:1000000}. */
  static final class GeneratedConverter implements ITypeConverter<ProfileOptions.Generated> {
    @Override
    public ProfileOptions.Generated convert(String text) {
      Matcher match = GENERATED.matcher(text);
      if (!match.matches()) {
        throw new TypeConversionException(
            "'" + InputException.quote(text) + "', expected KIND:NONZEROS such as band:1000000");
      }
      long nnz = Long.parseLong(match.group(2));
      return parse(
          kind -> new ProfileOptions.Generated(PatternKind.parse(kind), nnz), match.group(1));
    }
  }

  /** A size in bytes. It prints as it was given, so that {@code config.yaml} reads as meant. */
  record ByteSize(String text, long bytes) {
    @Override
    public String toString() {
      return text;
    }
  }

  static final class ByteSizeConverter implements ITypeConverter<ByteSize> {
    @Override
    public ByteSize convert(String text) {
      String lower = text.toLowerCase(Locale.ROOT);
      if (lower.equals("auto")) {
        return new ByteSize(lower, 0);
      }
      Matcher match = BYTES.matcher(lower);
      if (match.matches()) {
        int shift = match.group(2).isEmpty() ? 0 : 10 * ("kmgt".indexOf(match.group(2)) + 1);
        long number = Long.parseLong(match.group(1));
        if (number > 0 && number <= Long.MAX_VALUE >> shift) {
          return new ByteSize(lower, number << shift);
        }
      }
      throw new TypeConversionException(
          "'" + InputException.quote(text) + "', expected auto or a size such as 6g or 512m");
    }
  }
}
