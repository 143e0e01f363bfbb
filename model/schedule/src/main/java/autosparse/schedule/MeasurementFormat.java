package autosparse.schedule;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A {@link Measurement} as a line of JSON, and back:
 *
 * <pre>
 * {"op":"spmm","matrix":"band01","schedule":"2 i 2 …","worker":"w","round":1,"index":3,
 *  "drawn":"mutation","mutation_share":0.5,"ms":[0.41,0.4],"median_ms":0.405,"relative_error":1e-7}
 * {… ,"mutation_share":0.5,"failure":"storage_cap","detail":"level k1 …"}
 * </pre>
 *
 * <p>Fields may come in any order; unknown ones are passed over. Not thread-safe.
 */
public final class MeasurementFormat {
  /** How far a stated median may be from that of the times, since both are decimal. */
  private static final double MEDIAN_TOLERANCE = 1e-9;

  private static final MathContext MEDIAN_DIGITS = new MathContext(12);

  private static final JsonFactory JSON = new JsonFactory();
  private static final String TIMES = "ms";

  private final ScheduleParser parser;

  /** A format that shares equal parts of the schedules it reads. */
  public MeasurementFormat() {
    this(new ScheduleParser());
  }

  MeasurementFormat(ScheduleParser parser) {
    this.parser = parser;
  }

  /** The line, without a line break. */
  public static String encode(Measurement measurement) {
    StringWriter text = new StringWriter(400);
    try (JsonGenerator json = JSON.createGenerator(text)) {
      Measurement.Origin origin = measurement.origin();
      json.writeStartObject();
      json.writeStringField("op", measurement.op().id());
      json.writeStringField("matrix", measurement.matrix());
      json.writeStringField("schedule", measurement.schedule().encode());
      json.writeStringField("worker", origin.worker());
      json.writeNumberField("round", origin.round());
      json.writeNumberField("index", origin.index());
      json.writeStringField("drawn", origin.draw().id());
      json.writeNumberField("mutation_share", origin.mutationShare());
      if (measurement.failure().isPresent()) {
        json.writeStringField("failure", measurement.failure().get().kind());
        json.writeStringField("detail", measurement.failure().get().detail());
      } else {
        json.writeArrayFieldStart(TIMES);
        for (double ms : measurement.milliseconds()) {
          json.writeNumber(ms);
        }
        json.writeEndArray();
        json.writeNumberField(
            "median_ms", new BigDecimal(measurement.medianMs()).round(MEDIAN_DIGITS).doubleValue());
        json.writeNumberField("relative_error", measurement.relativeError());
      }
      json.writeEndObject();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return text.toString();
  }

  /**
   * Reads a line.
   *
   * @throws InputException naming place, field, value and what was expected
   */
  public Measurement parse(String line, SourceLocation source) {
    Map<String, String> fields = new HashMap<>();
    List<Double> times = new ArrayList<>();
    try (JsonParser json = JSON.createParser(line)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw InputException.at(source, "no JSON object, expected one a line");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        readField(json, json.currentName(), fields, times, source);
      }
      if (json.nextToken() != null) {
        throw InputException.at(source, "more than one JSON object, expected one a line");
      }
    } catch (JsonProcessingException malformed) {
      throw new InputException(
          source + ": no JSON (" + malformed.getOriginalMessage() + ")", malformed);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return measurement(new Fields(fields, source), times);
  }

  private static void readField(
      JsonParser json,
      String name,
      Map<String, String> fields,
      List<Double> times,
      SourceLocation source)
      throws IOException {
    JsonToken value = json.nextToken();
    if (name.equals(TIMES)) {
      if (value != JsonToken.START_ARRAY) {
        throw InputException.field(source, TIMES, json.getText(), "a list of milliseconds");
      }
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (!json.currentToken().isNumeric()) {
          throw InputException.field(source, TIMES, json.getText(), "numbers");
        }
        times.add(json.getDoubleValue());
      }
    } else if (value.isScalarValue()) {
      if (fields.put(name, json.getText()) != null) {
        throw InputException.field(source, name, json.getText(), "the field once");
      }
    } else {
      json.skipChildren();
    }
  }

  private Measurement measurement(Fields fields, List<Double> times) {
    Op op = op(fields);
    Schedule schedule = parser.parse(fields.text("schedule"), fields.source());
    try {
      Measurement measurement =
          new Measurement(
              op,
              fields.text("matrix"),
              schedule,
              new Measurement.Origin(
                  fields.text("worker"),
                  fields.whole("round"),
                  fields.whole("index"),
                  draw(fields),
                  fields.number("mutation_share")),
              times,
              times.isEmpty() ? 0 : fields.number("relative_error"),
              fields.has("failure")
                  ? Optional.of(
                      new Measurement.Reason(fields.text("failure"), fields.text("detail")))
                  : Optional.empty());
      checkMedian(measurement, fields);
      return measurement;
    } catch (IllegalArgumentException contradiction) {
      throw new InputException(fields.source() + ": " + contradiction.getMessage(), contradiction);
    }
  }

  private static void checkMedian(Measurement measurement, Fields fields) {
    if (measurement.isTimed()) {
      double stated = fields.number("median_ms");
      double median = measurement.medianMs();
      if (!(Math.abs(stated - median) <= MEDIAN_TOLERANCE * median)) {
        throw InputException.field(
            fields.source(), "median_ms", stated, "the median of the times, " + median);
      }
    }
  }

  private static Op op(Fields fields) {
    try {
      return Op.parse(fields.text("op"));
    } catch (InputException unknown) {
      throw new InputException(fields.source() + ": " + unknown.getMessage(), unknown);
    }
  }

  private static Measurement.Draw draw(Fields fields) {
    String id = fields.text("drawn");
    for (Measurement.Draw draw : Measurement.Draw.values()) {
      if (draw.id().equals(id)) {
        return draw;
      }
    }
    throw InputException.field(
        fields.source(), "drawn", id, "plain, classic, uniform, mutation or repeat");
  }

  /** The scalar fields of a line, as text. */
  private record Fields(Map<String, String> values, SourceLocation source) {
    boolean has(String field) {
      return values.containsKey(field);
    }

    String text(String field) {
      String value = values.get(field);
      if (value == null) {
        throw InputException.field(source, field, "missing", "a value");
      }
      return value;
    }

    double number(String field) {
      try {
        return Double.parseDouble(text(field));
      } catch (NumberFormatException malformed) {
        throw new InputException(
            InputException.field(source, field, text(field), "a number").getMessage(), malformed);
      }
    }

    int whole(String field) {
      try {
        return Integer.parseInt(text(field));
      } catch (NumberFormatException malformed) {
        throw new InputException(
            InputException.field(source, field, text(field), "a whole number").getMessage(),
            malformed);
      }
    }
  }
}
