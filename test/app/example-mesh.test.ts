/** examples/mesh as it is committed: its resources, targets, classes and limits belong together. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileFor, readLimitsAt } from '../../src/app/limits-loading';
import { readResourceTexts, resourcesOf } from '../../src/app/mesh/resource-files';
import { loadSettings } from '../../src/config/load-settings';
import { WeightedResources } from '../../src/mesh/weights/weighted-resources';

const ROOT = join(__dirname, '../..');
const EXAMPLE = join(ROOT, 'examples', 'mesh');

test('examples/mesh has a weighted target for each bucket of its limits, and a class that moves last', async () => {
  const flags = ['--config', join(EXAMPLE, 'tidegate.yaml'), '--limits', join(EXAMPLE, 'limits.yaml')];
  const loaded = loadSettings({ flags, env: {}, readFile: (path) => readFileSync(path, 'utf8') });
  if ('errors' in loaded) throw new Error(loaded.errors.map(String).join('\n'));
  const { settings } = loaded;
  const { targets, classes, path } = settings.mesh;
  expect(path).toBe('examples/mesh/resources');

  const { table, errors } = compileFor(await readLimitsAt(join(EXAMPLE, 'limits.yaml'), settings), settings);
  expect(errors).toEqual([]);
  expect(targets.map(({ bucket }) => bucket)).toEqual((table?.rules ?? []).map(({ id }) => id));

  const resources = resourcesOf(await readResourceTexts(join(ROOT, path)));
  const weighted = new WeightedResources({
    resources,
    targets,
    classes,
    runtimeLayer: '',
    runtimeTtlMs: 10_000,
  });
  expect(weighted.warnings()).toEqual([]);
  expect(weighted.groups()).toMatchObject([
    {
      name: 'shop',
      targets: [
        { id: 'shop-a', weight: 1 },
        { id: 'shop-b', weight: 1 },
        { id: 'shop-c', weight: 1 },
      ],
      classes: [{ name: 'vip', priority: 'CRITICAL' }, { name: 'default' }],
    },
  ]);
  expect([...weighted.routeTraffic().keys()]).toEqual(['shop', 'shop/vip']);
});
