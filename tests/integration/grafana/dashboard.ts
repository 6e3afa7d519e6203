// What the dashboard must be, by Grafana's own types; DASHBOARD becomes its JSON. Compiled, never run.
import type { AnnotationQuery, Dashboard, DataQuery, Panel, RowPanel } from "@grafana/schema";
import type { FieldConfig as SeriesConfig, Options as SeriesOptions } from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as BarOptions } from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";

// JSON holds words where the types have enums.
type Words<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends (infer Item)[] ? Words<Item>[] : unknown extends T ? T : { [Key in keyof T]: Words<T[Key]> };

// The Prometheus plugin's own words for a query and for a mark; Grafana keeps them beside its own.
type Query = DataQuery & { expr: string; legendFormat: string; instant?: boolean; range?: boolean };
type Mark = Omit<AnnotationQuery, "target"> & {
  target: DataQuery & { expr: string; interval?: string }; titleFormat?: string; textFormat?: string;
};
type Drawn<Type extends string, Options, Custom> = Omit<Panel<Options, Custom>, "type" | "options" | "targets"> & {
  type: Type; options: Options; targets: Query[];
};
type Board = Omit<Dashboard, "panels" | "annotations"> & {
  panels: (RowPanel | Drawn<"timeseries", SeriesOptions, SeriesConfig> | Drawn<"stat", StatOptions, {}> | Drawn<"bargauge", BarOptions, {}>)[];
  annotations: { list: Mark[] };
};

export const dashboard: Words<Board> = DASHBOARD;
