package autosparse.trainer.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * JSON of flat maps. What is no number (NaN, infinity) becomes null, as JSON has no word for it.
 */
final class JsonLines {
  static final ObjectMapper MAPPER = new ObjectMapper();

  private JsonLines() {}

  static ObjectNode objectOf(Map<String, ?> values) {
    ObjectNode node = MAPPER.createObjectNode();
    values.forEach(
        (key, value) -> {
          if (value instanceof Double number && !Double.isFinite(number)) {
            node.putNull(key);
          } else {
            node.set(key, MAPPER.valueToTree(value));
          }
        });
    return node;
  }
}
