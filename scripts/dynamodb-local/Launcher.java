import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import java.lang.reflect.Field;
import java.lang.reflect.Method;

/**
 * Starts DynamoDB Local on the loopback interface only: by itself it binds every interface and has no option against
 * it. Its Jetty server is a private field, and its connectors take a host until they are started.
 *
 * <p>It ends when its standard input does, so that it never outlives the process that started it.
 */
public final class Launcher {
  public static void main(String[] args) throws Exception {
    Object runner = ServerRunner.createServerFromCommandLineArgs(args);
    Object server = field(runner, "server");
    Object[] connectors = (Object[]) server.getClass().getMethod("getConnectors").invoke(server);
    for (Object connector : connectors) {
      connector.getClass().getMethod("setHost", String.class).invoke(connector, "127.0.0.1");
    }
    Thread watch = new Thread(Launcher::endWithInput, "end-with-input");
    watch.setDaemon(true);
    watch.start();
    Method start = runner.getClass().getMethod("start");
    start.invoke(runner);
  }

  private static void endWithInput() {
    try {
      while (System.in.read() >= 0) {
        // Nothing is ever sent; only the end matters.
      }
    } catch (java.io.IOException closed) {
      // As good as its end.
    }
    Runtime.getRuntime().halt(0);
  }

  private static Object field(Object owner, String name) throws Exception {
    for (Class<?> type = owner.getClass(); type != null; type = type.getSuperclass()) {
      try {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(owner);
      } catch (NoSuchFieldException next) {
        // Perhaps its superclass has it.
      }
    }
    throw new IllegalStateException("DynamoDB Local has no field " + name + ": another version than 2.6.1?");
  }
}
